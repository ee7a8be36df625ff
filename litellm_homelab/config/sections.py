"""The shape of the `homelab:` section: what may be set, of which type, with which default."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from litellm_homelab.backends import keep_alive, waking

TIME: Final = r"([01]\d|2[0-3]):[0-5]\d"
SECONDS: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
Role: TypeAlias = Literal["client", "optillm", "metrics", "widgets", "admin"]


def digest(key: str) -> str:
    """What is kept of a key: its SHA-256 in hex, which also makes every comparison equally long."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


Name = Annotated[str, Field(min_length=1)]


def _number(value: object) -> object:
    """A number that came as text: from an environment variable."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _seconds(value: object) -> object:
    """A number of seconds that came as text, or as a whole number."""
    if isinstance(value, str) and SECONDS.fullmatch(value):
        return float(value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _switch(value: object) -> object:
    """As `_number`, for true and false."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _off(value: object) -> object:
    """YAML reads an `off` without quotes as false."""
    return "off" if value is False else value


def _time(value: object) -> object:
    """YAML reads a 12:30 without quotes as a number of base 60."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return f"{value // 60:02}:{value % 60:02}"
    return value


def _time_of_day(value: str) -> str:
    if not re.fullmatch(TIME, value):
        raise ValueError("expected a time from 00:00 to 23:59")
    return value


def _none(value: object) -> object:
    """An environment variable that is there and empty."""
    return None if value == "" else value


def _mac(value: str) -> str:
    if not waking.is_mac(value):
        raise ValueError("expected six pairs of hex digits such as 02:00:00:00:00:01")
    return value


def _destination(value: str) -> str:
    try:
        waking.destination(value)
    except ValueError:
        raise ValueError("expected a host, or host:port with a port from 1 to 65535") from None
    return value


Key = Annotated[str, Field(min_length=8), AfterValidator(digest)]
"""A key of at least 8 characters; its digest is what the settings keep."""
Number = Annotated[int, BeforeValidator(_number)]
TimeOfDay = Annotated[
    str,
    BeforeValidator(_time),
    AfterValidator(_time_of_day),
    Field(json_schema_extra={"pattern": f"^{TIME}$"}),
]
MOST_SECONDS: Final = 86_400
"""The longest limit that `homelab.timeouts` takes: a day."""
Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, le=MOST_SECONDS, allow_inf_nan=False)]
Switch = Annotated[bool, BeforeValidator(_switch)]
KeepAlive = Annotated[int | str, BeforeValidator(keep_alive.read)]
"""Seconds, or a duration that Ollama reads."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DiscoverSection(_Section):
    """Handles that a backend lists, while it lists them."""

    group: Name
    """The wildcard group of `model_list` (`ollama/*`) that the handles are below."""
    only: list[Name] = []
    """Shell patterns of the models that become handles (`qwen*`); by default all that are listed."""
    left_out: list[Name] = Field(default=[], alias="except")
    """Shell patterns of models that do not."""


class ShowroomSection(_Section):
    """
    Which names clients may use; every one is a `model_name` of `model_list`, written exactly.

    A group of `model_list` that is in none of the three lists is backroom: never reachable.
    """

    handles: list[Name] = Field(min_length=1)
    """Listed and callable."""
    hidden: list[Name] = []
    """Callable by exact name, never listed."""
    internal: list[Name] = []
    """Only for the router's own fallbacks and for OptiLLM's calls back."""
    handles_file: Name | None = None
    """A handles.jsonl that adds to `handles`; relative to router.yaml."""
    registry: Name | None = None
    """An MLX registry.json (version 2) that says where each model's files are; relative to router.yaml."""
    roots: list[Name] = []
    """Folders that are showroom storage; a handle whose model lies outside all of them is backroom."""
    discover: dict[Name, DiscoverSection] = {}
    """By name of `homelab.backends`: models that the backend lists and that become handles."""


Priority: TypeAlias = Literal["high", "normal", "low"]
"""Who waits for a backend with a higher priority goes first."""


class CallerSection(_Section):
    """One service key: who presents it, and what it may be used for."""

    key: Key = Field(repr=False)
    """The bearer token; as `os.environ/NAME` in a file that others may read."""
    next_key: Annotated[Key | None, BeforeValidator(_none)] = Field(default=None, repr=False)
    """A second key, as good as `key`, while the caller changes over to it; empty is none."""
    handles: list[Name] | None = None
    """Names that this caller may use; by default every handle and hidden name."""
    routes: list[Name] | None = None
    """Routes that this caller may use, as LiteLLM writes them (`/v1/chat/completions`), or shell patterns."""
    role: Role = "client"
    """
    `optillm`: the key of OptiLLM's calls back; `admin`: the page, and what a client may.

    `metrics` reads `/metrics/` and nothing else, `widgets` reads `/homelab/widget.json` and nothing else.
    """
    priority: Priority | None = None
    """In which order its requests wait for a backend; by default as the handle's, else `normal`."""


class GateSection(_Section):
    """Which routes there are."""

    open: list[Name] = []
    """Routes to open although no rule sees what they lead to."""
    ui: Switch = False
    """Whether LiteLLM's Admin UI is open: its pages, its login, and what they load without a key."""


class Lane(_Section):
    """A handle whose deployments are OptiLLM: which approaches it allows, and what a request may cost."""

    approaches: list[Name] = Field(min_length=1)
    """Approaches that a client may ask for; each part of a combination must be among them."""
    default: Name = "none"
    """The approach of a request that names none; `none` is sent as no field at all."""
    max_calls: Number = Field(default=64, ge=1, le=10_000)
    """Children per root."""
    max_n: Number = Field(default=1, ge=1, le=64)
    """Most choices (`n`) of one request; more are brought down to it."""
    tags: Literal["refuse", "neutralise"] = "refuse"
    """What becomes of an `<optillm_approach>` tag in a prompt."""
    prefixes: Switch = False
    """Whether `moa-boost` is this handle with the approach `moa`."""
    carrier: Annotated[Literal["model", "off"], BeforeValidator(_off)] = "model"
    """How a root's mark travels; `off` where OptiLLM's upstream is not this gateway."""
    on_dropped: Literal["serve", "refuse"] = "serve"
    """What becomes of a request with tools, a `response_format` or images that its approach drops."""


class QueueSection(_Section):
    """Who waits for a slot of a backend."""

    length: Number = Field(default=20, ge=0, le=10_000)
    """How many requests may wait, over all workers; 0 is none."""
    wait_seconds: Number = Field(default=300, ge=1, le=86_400)
    """How long one may wait."""


class PresenceSection(_Section):
    """How to find out whether a server is there, and what becomes of attempts while it is not."""

    probe_seconds: Seconds = 15
    """From one probe to the next, over all workers."""
    timeout_seconds: Seconds = 2
    """How long a probe waits for a connection, and then for the answer."""
    on_absent: Literal["fallback", "refuse", "wake", "ignore"] = "fallback"
    """
    What becomes of attempts while it is away.

    `fallback`: the next group is tried; `refuse`: the request ends; `wake`: `wake` says what is done;
    `ignore`: it is asked anyway.
    """


class WakeSection(_Section):
    """How to wake a server that is asleep: one of `mac`, `url` and `command`."""

    mac: Annotated[str, AfterValidator(_mac)] | None = None
    """The hardware address that a magic packet names."""
    to: Annotated[str, AfterValidator(_destination)] | None = None
    """Where the packet is sent (`host` or `host:port`); by default the local network's broadcast, port 9."""
    url: Name | None = None
    """In the place of a packet: an address that gets an empty POST."""
    command: list[Name] = []
    """In the place of both: a program and its arguments; no shell is involved."""
    wait_seconds: Seconds = 120
    """How long a request waits for the server."""
    cooldown_seconds: Seconds = 30
    """From one wake to the next, over all workers."""
    meanwhile: Literal["wait", "fallback"] = "wait"
    """Whether requests wait for the server, or use their fallbacks while it wakes."""


class BackendSection(_Section):
    """One server, or one account: what is known of all its deployments together."""

    at: list[Name] = []
    """Addresses: every deployment whose `api_base` begins so, by whole segments of the path."""
    groups: list[Name] = []
    """In the place of `at`: groups of `model_list` whose deployments have no address of their own."""
    kind: Literal["openai", "ollama", "llama-swap", "lm-studio", "mlx", "vllm", "cloud", "optillm"] = "openai"
    """What server it is."""
    slots: Number | None = Field(default=None, ge=1, le=10_000)
    """Requests at a time, over all workers; by default there is no limit."""
    queue: QueueSection = QueueSection()
    """Who waits while every slot is taken."""
    presence: PresenceSection | None = None
    """Whether the server is there is found out by probes, and by attempts that find no connection."""
    wake: WakeSection | None = None
    """What wakes the server; acts only with `presence.on_absent: wake`."""


class TimeoutSection(_Section):
    """How long an attempt at a group may take, in seconds; what is not set is taken from `default`."""

    connect: Seconds | None = None
    """Until there is a connection to the server."""
    first_token: Seconds | None = None
    """From sending the attempt to the first content of a stream; comments and empty events do not count."""
    idle: Seconds | None = None
    """Between two contents of a stream."""
    total: Seconds | None = None
    """From sending the attempt to the end of its answer."""


class WindowSection(_Section):
    """One limit of a quota."""

    requests: Number | None = Field(default=None, ge=1)
    """Requests allowed in each window."""
    tokens: Number | None = Field(default=None, ge=1)
    """Instead of `requests`: tokens allowed in each window, prompts and answers together."""
    per: Literal["second", "minute", "hour", "day", "week", "month"]
    """How long a window is."""
    zone: Name | None = None
    """The IANA zone in which days, weeks and months begin; by default the preset's, else UTC."""
    reset: TimeOfDay | None = None
    """The local time (`"HH:MM"`) at which they begin; by default the preset's, else `"00:00"`."""
    rolling: Switch = False
    """Whether the window is the time up to now, and not one of the calendar's."""


class QuotaSection(_Section):
    """The limits of one account with a provider: a free tier."""

    groups: list[Name] = Field(min_length=1)
    """Groups of `model_list` whose requests count against it together."""
    preset: Name | None = None
    """A free tier by name: its windows, calendar and way to write its limits, as documented on a day."""
    windows: list[WindowSection] = []
    """Limits; beside a preset they take the place of those of the same unit."""
    counts: Literal["attempts", "successes"] = "attempts"
    """Whether a failed attempt counts."""
    learn: Switch = True
    """Whether the provider's headers and errors correct the counts and close windows."""
    on_exhausted: Literal["fallback", "refuse"] = "fallback"
    """What becomes of an attempt while a window is used up; `fallback`: the next group is tried."""
    on_state_loss: Literal["refuse", "serve"] = "refuse"
    """What becomes of an attempt while the store of `state` does not answer."""


class Limits(_Section):
    """How large a request may be."""

    body_mb: Number = Field(default=32, ge=1, le=1024)
    """Most megabytes (of 2**20 bytes) of a request's body."""
    parts: Number = Field(default=2000, ge=1, le=1_000_000)
    """Most messages and content parts of one request."""
    orphans: Number = Field(default=64, ge=1, le=10_000)
    """Most calls of OptiLLM that belong to no request, at a time, in each worker."""


Becomes: TypeAlias = Literal["pass", "drop", "refuse"]
"""What becomes of a request field."""


class Homelab(_Section):
    """The whole `homelab:` section; a part is accepted once its rule exists."""

    showroom: ShowroomSection
    callers: dict[Name, CallerSection] = {}
    """Service keys by the caller's name; needs `custom_auth: litellm_homelab.gate`."""
    gate: GateSection = GateSection()
    """Which routes there are."""
    fields: dict[Name, Becomes] = {}
    """Request fields by name, where the lists are not what you want; `"*"` is for unknown names."""
    optillm: dict[Name, Lane] = {}
    """OptiLLM handles by name."""
    backends: dict[Name, BackendSection] = {}
    """Servers by a name of your own: what is not the default for every address."""
    priorities: dict[Name, Priority] = {}
    """In which order requests wait for a backend, by handle; the lower of it and the caller's counts."""
    keep_alive: dict[Name, KeepAlive] = {}
    """How long an Ollama keeps a model in memory after an answer, by handle: `-1`, `30m`, `0`."""
    timeouts: dict[Name, TimeoutSection] = {}
    """How long attempts may take, by group; `default` is for the rest."""
    quotas: dict[Name, QuotaSection] = {}
    """Free tiers by a name of your own."""
    limits: Limits = Limits()
    """How large a request may be."""
    page: Switch = False
    """Whether `/homelab` is served: the page, its login, and its JSON."""
    accept_advisories: list[Name] = []
    """Ids of advisories that do not stop the start, although they would."""
    state: Name = "sqlite:///homelab.db"
    """Where counters live: `memory://`, `sqlite:///file` (relative to router.yaml), `redis://host:port/db`."""
    secret: Annotated[str, Field(min_length=16)] | None = Field(default=None, repr=False)
    """Signs the mark that ties OptiLLM's calls back to their root; by default derived from the master key."""
