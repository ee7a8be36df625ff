"""What our hooks must remember of one request between LiteLLM's hooks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from litellm_homelab.access.callers import MASTER, Caller
from litellm_homelab.access.table import Route
from litellm_homelab.adapter.outcome import Outcome
from litellm_homelab.adapter.stats import RequestStats
from litellm_homelab.attempts.failures import Failure
from litellm_homelab.backends.slots import Slot
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm.fanout import Summary
from litellm_homelab.optillm.lanes import OptillmRun
from litellm_homelab.quotas.book import Reservation
from litellm_homelab.timeouts.rule import Reached, Timed


@dataclass(frozen=True, slots=True)
class Child:
    """A call of OptiLLM on behalf of a root, known by the mark on its model name."""

    root: str
    hop: int
    handle: str = ""
    """The root's, once the root has been looked up; so is the approach."""
    approach: str = ""
    admitted: bool = False
    """Whether it has been counted: at its first attempt, once for all of its attempts."""
    admitted_at: float = field(default_factory=time.monotonic)
    failed: bool = False
    """Whether its root knows that its backend refused it."""
    rank: int | None = None
    """In which order it waits for a backend: as its root does."""


@dataclass(slots=True)
class Chosen:
    """What the attempt under way may reach: a deployment by its id, or a search tool by its name."""

    deployment: str | None = None
    model: str | None = None
    """The deployment's model, where its group is a wildcard."""
    search_tool: str | None = None
    timed: Timed | None = None
    """The limits of `homelab.timeouts` for its group; None where there are none."""


@dataclass(frozen=True, slots=True)
class Broken:
    """How a stream ended of which the client has content."""

    status: int
    message: str
    """May name the upstream: it is cleaned before the client gets it."""
    type: str


@dataclass(slots=True)
class Root:
    """A client request on its way through OptiLLM."""

    id: str
    handle: str
    approach: str
    mark: str
    """What is put behind the model name that is sent; empty where nothing is carried."""
    returns: Mapping[str, int] = field(default_factory=dict)
    """How many unmarked re-entries each group had seen when it started."""
    wire: dict[str, Any] | None = None
    """The body of the attempt that carries the mark, as it is being sent."""
    carrying: bool = False
    """Whether the attempt under way is one that the mark belongs on."""
    carried: bool = False
    """Whether the mark went out with the last attempt."""
    summary: Summary | None = None
    """The ledger's account, once it is closed."""


class Waiting(Protocol):
    """Receives the begin and the end of each wait for a backend."""

    def begins(self) -> None:
        """Note that a wait begins; several may be under way."""

    def ends(self) -> None:
        """Note that a wait has ended."""


@dataclass(slots=True)
class RequestContext:
    """
    One client request, filled in by the hooks as it passes them.

    It lives in a context variable, not in LiteLLM's dicts: those are copied, logged and written by
    clients. Tasks that LiteLLM starts for the request inherit it; the next request gets its own.
    """

    path: str = ""
    """The route as requested; empty outside of a server."""
    route: Route | None = None
    """The route as LiteLLM's router matches it, once the request has come that far."""
    scope: MutableMapping[str, Any] = field(default_factory=dict)
    """The ASGI scope that LiteLLM's router serves; LiteLLM keeps what it read of the body there."""
    sent: Mapping[str, Any] | None = None
    """A JSON body: as it came in, then as the fields rule left it; None for a form, or no body."""
    named: tuple[object, ...] | None = None
    """Each value of the key `model` in a JSON body as it came in; None for a form, or no body."""
    form: list[tuple[str, str]] = field(default_factory=list)
    """The fields of a form as they came in, files left out; complete once LiteLLM has read it."""
    screened: bool = False
    """Whether the fields rule has judged the body."""
    refused_field: Refuse | None = None
    """The refusal of a field, a header or a query parameter, until the client may see it."""
    malformed: Refuse | None = None
    """The refusal of a conversation of the wrong form, shown once the model is known to be allowed."""
    model: str | None = None
    """The name that the client asked for, mark and prefix off, allowed or not."""
    asked: str | None = None
    """The handle that the client asked for, once pre-call has allowed it."""
    caller: Caller = MASTER
    tried: bool = False
    """Whether a deployment has been chosen for an attempt."""
    sent_out: bool = False
    """Whether a request of the attempt under way has left: the transport below LiteLLM's clients saw it."""
    kept_back: bool = False
    """Whether a request of the attempt under way was answered by us: its deployment did not fail."""
    announced: bool = False
    """Whether LiteLLM has said that it is about to send; an error of its own may still come first."""
    failure: Failure | None = None
    """How the attempt under way failed, read before the router chains other errors to its error."""
    unsent: Exception | None = None
    """An error that LiteLLM raised before anything was sent: the request ends with it."""
    open_route: bool = False
    """Whether it is for a route of `homelab.gate.open`, where our rules judge deployments only."""
    opened: bool = False
    """Whether the request has been opened: mark off, prefix off, caller found."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The body as the client sent it."""
    prefix: str | None = None
    """The approach that stood before the handle's name."""
    hops: tuple[str, ...] | None = ()
    """Pairs of gateway and group that it has passed (`attempts/hops.py`); None where they are malformed."""
    child: Child | None = None
    orphan: bool = False
    """Whether it is a call of OptiLLM's that belongs to no request, and has been let in."""
    forged: str | None = None
    """Why a mark on the model name is not accepted."""
    runs: dict[str, OptillmRun] = field(default_factory=dict)
    """What was decided for each OptiLLM group: the approach, and what it drops."""
    dropped: tuple[str, ...] = ()
    """What the approach of the attempt under way drops of the request."""
    clean: dict[int, str] = field(default_factory=dict)
    """Long texts of the prompt in which no tag was found, by identity: LiteLLM hands on the very same."""
    root: Root | None = None
    timeouts: tuple[tuple[str, Reached], ...] = ()
    """Limits of `homelab.timeouts` that ended an attempt, each with the attempt's group."""
    failed_otherwise: bool = False
    """Whether an attempt failed for another reason than a limit; looked at where there are limits."""
    broken: Broken | None = None
    chosen: Chosen | None = None
    """What the last attempt that began may reach."""
    guardrail: bool = False
    """Whether the error of this request comes from an operator's guardrail, with a mapping of its own."""
    listed: tuple[str, ...] | None = None
    """The names that a listing shows to its caller; None before LiteLLM has asked."""
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]] | None = None
    """What the server says of the client (ASGI)."""
    comments: Waiting | None = None
    """Sends comments while the request waits; None where no backend lets a request wait."""
    slots: dict[str, Slot] | None = None
    """The slots of backends that its attempts have taken, by the deployment's id."""
    reservations: dict[str, Reservation] | None = None
    """What its attempts have reserved of quotas, by the deployment's id."""
    skipped: tuple[Refuse, ...] = ()
    """Why attempts were skipped, in their order."""
    queued: float = 0.0
    """Seconds for which it has waited for slots."""
    stats: RequestStats = field(default_factory=RequestStats)
    outcome: Outcome = field(default_factory=Outcome)
    """How the request ends."""

    @property
    def is_optillms(self) -> bool:
        """Whether it is a call of OptiLLM's, by its token or by its key."""
        return self.child is not None or self.caller.role == "optillm"


_record: ContextVar[RequestContext | None] = ContextVar("litellm_homelab_record", default=None)
_chosen: ContextVar[Chosen | None] = ContextVar("litellm_homelab_chosen", default=None)
"""A context variable, since LiteLLM may run attempts of one request side by side (`silent_model`)."""


class request:  # noqa: N801 - used like `contextlib.suppress`
    """Opens the record of one request; the ASGI wrapper does this around LiteLLM."""

    __slots__ = ("_path", "_tokens")

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> RequestContext:
        record = RequestContext(path=self._path)
        self._tokens = _record.set(record), _chosen.set(None)
        return record

    def __exit__(self, *_: object) -> None:
        record, chosen = self._tokens
        _record.reset(record)
        _chosen.reset(chosen)


def current() -> RequestContext | None:
    """The record of the request that this code runs for, None for LiteLLM's own background work."""
    return _record.get()


def required() -> RequestContext:
    """The record of the request that this code runs for.

    Raises:
        LookupError: the ASGI wrapper is not around LiteLLM, so that requests cannot be distinguished.

    """
    record = _record.get()
    if record is None:
        raise LookupError("no record of this request: the ASGI wrapper is not in place")
    return record


def choose(chosen: Chosen) -> None:
    """Note what the attempt that begins here has been allowed to reach."""
    _chosen.set(chosen)
    record = _record.get()
    if record is not None:
        record.chosen = chosen


def chosen() -> Chosen | None:
    """
    What the attempt under way may reach; None before one has begun.

    Some streams send when their first chunk is asked for, in another task than the one that the deployment
    hook ran in (measured on LiteLLM 1.106.2, /v1/completions): then it is the request's last one.
    """
    found = _chosen.get()
    if found is not None:
        return found
    record = _record.get()
    return record.chosen if record is not None else None


def refused(rule: str, refusal: Refuse) -> None:
    """Note that a rule refuses the request, to be counted when it has ended."""
    record = _record.get()
    if record is not None:
        record.outcome.refuse(rule, refusal)
