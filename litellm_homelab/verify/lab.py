"""What a gateway should be like: read from its router.yaml where that is given, else from its listing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.check.names import known_litellm
from litellm_homelab.config import loading, text_file, yaml_text
from litellm_homelab.config.references import ENV_PREFIX, is_unset
from litellm_homelab.config.wildcards import is_wildcard
from litellm_homelab.config.yaml_text import NotReadable
from litellm_homelab.formats.server_address import AddressUnusable, server_address
from litellm_homelab.verify.exchange import KeyRole, VerifyReply

if TYPE_CHECKING:
    from litellm_homelab.config.sections import CallerSection, Lane
    from litellm_homelab.config.settings import Settings

VARIABLES: Final[Mapping[KeyRole, str]] = {
    KeyRole.MASTER: "LITELLM_MASTER_KEY",
    KeyRole.CLIENT: "OPEN_WEBUI_KEY",
    KeyRole.METRICS: "PROMETHEUS_KEY",
    KeyRole.OPTILLM: "OPTILLM_UPSTREAM_KEY",
    KeyRole.GATE: "OPTILLM_GATE_KEY",
}
"""Where the keys are, as in config/env.example; router.yaml may say otherwise."""
ROLES: Final = {"client": KeyRole.CLIENT, "metrics": KeyRole.METRICS, "optillm": KeyRole.OPTILLM}
SEARCH_TOOL: Final = "searxng-search"
"""The search tool of the shipped router.yaml."""
LANE: Final = "boost"
"""Its OptiLLM handle."""
CANONICAL: Final = re.compile(r"mlx-[a-z0-9]+(-[a-z0-9]+)+")
"""Ids of an MLX registry, which no listing shows unless router.yaml says so."""


class LabUnusable(Exception):
    """The router.yaml cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class VerifyKeys:
    """The keys that are known, and the variables that they come from."""

    values: Mapping[KeyRole, str] = field(default_factory=dict, repr=False)
    variables: Mapping[KeyRole, str] = field(default_factory=lambda: dict(VARIABLES))

    def variable(self, role: KeyRole) -> str:
        """The variable that has, or should have, a key."""
        return self.variables.get(role, VARIABLES[role])


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """An OptiLLM handle, as far as checks need it."""

    name: str
    approaches: tuple[str, ...] = ()
    """Empty where they are not known."""
    default: str = "none"
    max_calls: int = 64
    refuses_tags: bool = True
    counts_calls: bool = True
    """Whether its calls back are known to be its own; not so with `carrier: off`."""
    key: KeyRole | None = KeyRole.CLIENT
    """The key that may use it; None where none of the known ones may."""


@dataclass(frozen=True, slots=True)
class VerifyLab:
    """A gateway and what its owner expects of it."""

    url: str
    keys: VerifyKeys = field(default_factory=VerifyKeys)
    is_configured: bool = False
    """Whether this comes from a router.yaml."""
    handles: tuple[str, ...] = ()
    """What a listing for the client's key shows while every server is there."""
    prefixes: tuple[str, ...] = ()
    """In front of names that `discover` finds: they are listed too."""
    may_leave: bool = False
    """Whether handles leave the listing while their server is away."""
    plain: str = ""
    """A chat handle that is not OptiLLM; empty where there is none."""
    closed: tuple[str, ...] = ()
    """Names of router.yaml that the client's key may not use."""
    lanes: tuple[LaneFacts, ...] = ()
    search_tools: Mapping[str, str] = field(default_factory=dict)
    """Search tools with their providers."""
    has_prometheus: bool = True
    has_page: bool | None = None
    has_ui: bool = False
    opened: tuple[str, ...] = ()
    """Routes that `homelab.gate.open` opens, as patterns."""
    optillm: str = ""
    """The address of OptiLLM, without /v1; empty where it was not given."""
    own_addresses: tuple[str, ...] = ()
    """Other addresses of this machine than 127.0.0.1."""

    def knows(self, role: KeyRole) -> bool:
        """Whether a key is known."""
        return role in self.keys.values

    def opens(self, path: str) -> bool:
        """Whether the owner has opened a route."""
        return any(fnmatchcase(path, one) for one in self.opened)

    @property
    def client(self) -> KeyRole:
        """The key for ordinary questions: a client's, else the master key."""
        return KeyRole.CLIENT if self.knows(KeyRole.CLIENT) else KeyRole.MASTER

    @property
    def reader(self) -> KeyRole | None:
        """The key that reads /metrics/."""
        return next((one for one in (KeyRole.METRICS, KeyRole.MASTER) if self.knows(one)), None)


def address(text: str) -> str:
    """
    The address of a server, without /v1 and a final slash.

    Raises:
        LabUnusable: it is not an address, or has a key, a query or a special character in it.

    """
    try:
        return server_address(text).below("/v1")
    except AddressUnusable as error:
        raise LabUnusable(str(error)) from None


def without_config(url: str, environ: Mapping[str, str]) -> VerifyLab:
    """A lab of which only the address and the variables of config/env.example are known."""
    values = {role: environ[name] for role, name in VARIABLES.items() if environ.get(name)}
    return VerifyLab(url, VerifyKeys(values), search_tools={SEARCH_TOOL: ""})


def learned(lab: VerifyLab, listing: VerifyReply) -> VerifyLab:
    """Without a router.yaml: the lab with what the gateway lists, its plain handle and its OptiLLM handle."""
    if lab.is_configured:
        return lab
    rows = [one for one in listing.part("data") or () if isinstance(one, dict)]
    names = {str(one["id"]): one.get("mode") for one in rows if isinstance(one.get("id"), str)}
    chats = [name for name, mode in names.items() if mode in ("chat", None) and name != LANE]
    lanes = (LaneFacts(LANE, key=lab.client),) if LANE in names else ()
    return replace(lab, handles=tuple(names), plain=next(iter(chats), ""), lanes=lanes)


def of_config(url: str, path: Path, environ: Mapping[str, str]) -> VerifyLab:
    """
    A lab by its router.yaml; keys are taken from the variables that it names.

    Raises:
        LabUnusable: the file cannot be read, or its `homelab:` section is wrong.

    """
    try:
        document = yaml_text.load(text_file.read(path))
        known = known_litellm(environ)
        settings, found = loading.examined(document, path=path, environ=environ, known=known)
    except (OSError, ValueError, NotReadable) as error:
        raise LabUnusable(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if settings is None:
        raise LabUnusable(f"{path}: {found[0]}; `litellm-homelab check` says all that is wrong")
    return of_settings(url, settings, environ)


def of_settings(url: str, settings: Settings, environ: Mapping[str, str]) -> VerifyLab:
    """A lab by checked settings."""
    keys, client = _keys(settings, environ)
    usable = _usable(settings, client)
    raw = settings.router.document.get("search_tools")
    backends = settings.homelab.backends.values()
    return VerifyLab(
        url,
        keys,
        is_configured=True,
        handles=tuple(name for name in settings.handles if name in usable and not is_wildcard(name)),
        prefixes=tuple(_prefixes(settings)),
        may_leave=any(one.presence is not None for one in backends),
        plain=next(_plain(settings, usable), ""),
        closed=tuple(_closed(settings, usable)),
        lanes=tuple(_lanes(settings, usable, keys)),
        search_tools=dict(_tools(raw)),
        has_prometheus="prometheus" in settings.router.callbacks,
        has_page=settings.homelab.page,
        has_ui=settings.homelab.gate.ui,
        opened=tuple(settings.homelab.gate.open),
    )


# --- keys --------------------------------------------------------------------------------------------


def _keys(settings: Settings, environ: Mapping[str, str]) -> tuple[VerifyKeys, CallerSection | None]:
    """Every key that is known, and the caller whose key is the client's; None where none is known."""
    variables = dict(VARIABLES)
    chosen: CallerSection | None = None
    is_known = settings.master_key and not is_unset(settings.master_key)
    master = settings.master_key if is_known else environ.get(VARIABLES[KeyRole.MASTER], "")
    general = settings.router.document.get("general_settings")
    named = general.get("master_key") if isinstance(general, dict) else None
    variables[KeyRole.MASTER] = _variable(named) or VARIABLES[KeyRole.MASTER]
    gate = environ.get(VARIABLES[KeyRole.GATE], "")
    own = {KeyRole.MASTER: master, KeyRole.GATE: gate}
    values = {role: value for role, value in own.items() if value}
    for caller, written in _callers(settings):
        role = ROLES.get(caller.role)
        if role is None or role in values:
            continue
        name = _variable(written)
        value = environ.get(name, "") if name else written
        if value:
            values[role] = value
            chosen = caller if role is KeyRole.CLIENT else chosen
        if name:
            variables[role] = name
    return VerifyKeys(values, variables), chosen


def _callers(settings: Settings) -> Iterator[tuple[CallerSection, str]]:
    """Each caller with its key as the file has it, those without `routes` first."""
    section = settings.router.document.get("homelab")
    raw = section.get("callers") if isinstance(section, dict) else None
    raw = raw if isinstance(raw, dict) else {}
    for name, caller in sorted(settings.homelab.callers.items(), key=lambda one: one[1].routes is not None):
        entry = raw.get(name)
        written = entry.get("key") if isinstance(entry, dict) else None
        yield caller, written if isinstance(written, str) else ""


def _variable(written: object) -> str:
    is_reference = isinstance(written, str) and written.startswith(ENV_PREFIX)
    return str(written).removeprefix(ENV_PREFIX) if is_reference else ""


# --- names -------------------------------------------------------------------------------------------


def _usable(settings: Settings, client: CallerSection | None) -> frozenset[str]:
    """What the client's key may ask for."""
    if client is not None and client.handles is not None:
        return frozenset(client.handles)
    return frozenset((*settings.handles, *settings.homelab.showroom.hidden))


def _prefixes(settings: Settings) -> Iterator[str]:
    for one in settings.homelab.showroom.discover.values():
        yield one.group.partition("*")[0]


def _plain(settings: Settings, usable: frozenset[str]) -> Iterator[str]:
    groups = settings.router.groups
    for name in settings.handles:
        is_chat = any(one.mode == "chat" for one in groups.get(name, ()))
        if name in usable and is_chat and name not in settings.homelab.optillm:
            yield name


def _closed(settings: Settings, usable: frozenset[str]) -> Iterator[str]:
    """One name of each kind that the key may not use: a canonical id, an internal one, a backroom one."""
    showroom = settings.homelab.showroom
    shown = {*settings.handles, *showroom.hidden, *showroom.internal}
    groups = [name for name in settings.router.groups if not is_wildcard(name)]
    kinds: tuple[Iterable[str], ...] = (
        (name for name in groups if CANONICAL.fullmatch(name)),
        (name for name in groups if name in showroom.internal),
        (name for name in groups if name not in shown),
    )
    found = (next((name for name in kind if name not in usable), "") for kind in kinds)
    yield from dict.fromkeys(name for name in found if name)


def _lanes(settings: Settings, usable: frozenset[str], keys: VerifyKeys) -> Iterator[LaneFacts]:
    for name, lane in settings.homelab.optillm.items():
        if name in (*settings.handles, *settings.homelab.showroom.hidden):
            yield _lane(name, lane, _key_for(name, usable, keys))


def _key_for(name: str, usable: frozenset[str], keys: VerifyKeys) -> KeyRole | None:
    if name in usable and KeyRole.CLIENT in keys.values:
        return KeyRole.CLIENT
    return KeyRole.MASTER if KeyRole.MASTER in keys.values else None


def _lane(name: str, lane: Lane, key: KeyRole | None) -> LaneFacts:
    return LaneFacts(
        name,
        tuple(lane.approaches),
        lane.default,
        lane.max_calls,
        refuses_tags=lane.tags == "refuse",
        counts_calls=lane.carrier == "model",
        key=key,
    )


def _tools(raw: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - YAML of any shape
    for one in raw if isinstance(raw, list) else ():
        name = one.get("search_tool_name") if isinstance(one, dict) else None
        params = one.get("litellm_params") if isinstance(one, dict) else None
        if isinstance(name, str):
            provider = params.get("search_provider") if isinstance(params, dict) else ""
            yield name, str(provider or "")
