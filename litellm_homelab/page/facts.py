"""
What the page is made from: facts of one worker, which workers send each other as text, and of the whole.

Times are seconds since the epoch. Names come from the configuration, or from clients (a refusal's handle,
caller and message): whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

KEPT: Final = 50
"""Refusals that are remembered."""
LONGEST: Final = 400
"""Characters of a refusal's message that are kept: some list every handle."""


@dataclass(frozen=True, slots=True)
class SeenRefusal:
    """One refusal that a client got."""

    at: float
    type: str
    status: int
    rule: str
    handle: str | None
    """None where it is about no handle."""
    caller: str
    message: str


@dataclass(frozen=True, slots=True)
class SeenBackend:
    """How a backend is, as one worker knows it."""

    state: str
    since: float
    loaded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenRoot:
    """A request through OptiLLM that is under way at a worker."""

    id: str
    handle: str
    approach: str
    caller: str
    opened_at: float


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What one worker knows and no store does."""

    worker: str
    started_at: float
    refusals: tuple[SeenRefusal, ...] = ()
    backends: Mapping[str, SeenBackend] = field(default_factory=dict)
    roots: tuple[OpenRoot, ...] = ()
    paces: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    """By handle: the sum of the speeds (tokens a second) of the last answers, and how many they are."""

    def written(self) -> str:
        """It as text."""
        return orjson.dumps(self).decode()


def read(text: str) -> WorkerFacts:
    """
    Read what `WorkerFacts.written` wrote.

    Raises:
        ValueError: it is something else.

    """
    try:
        found: dict[str, Any] = orjson.loads(text)
        return WorkerFacts(
            str(found["worker"]),
            float(found["started_at"]),
            tuple(SeenRefusal(**one) for one in found["refusals"]),
            {
                name: SeenBackend(one["state"], one["since"], tuple(one["loaded"]))
                for name, one in found["backends"].items()
            },
            tuple(OpenRoot(**one) for one in found["roots"]),
            {name: (float(total), int(number)) for name, (total, number) in found["paces"].items()},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not the facts of a worker") from error


def merged(workers: Iterable[WorkerFacts]) -> WorkerFacts:
    """
    The facts of several workers as those of one.

    Of a backend the worker counts whose knowledge is the newest: an attempt that finds no connection is known
    to one worker before the next probe says it to all.
    """
    found: WorkerFacts | None = None
    for one in workers:
        found = one if found is None else _both(found, one)
    return found or WorkerFacts("", 0.0)


def _both(one: WorkerFacts, other: WorkerFacts) -> WorkerFacts:
    backends = dict(one.backends)
    for name, seen in other.backends.items():
        if name not in backends or seen.since > backends[name].since:
            backends[name] = seen
    refusals = sorted((*one.refusals, *other.refusals), key=lambda each: each.at)[-KEPT:]
    paces = dict(one.paces)
    for name, (total, number) in other.paces.items():
        before = paces.get(name, (0.0, 0))
        paces[name] = before[0] + total, before[1] + number
    return replace(
        one,
        started_at=min(one.started_at, other.started_at),
        refusals=tuple(refusals),
        backends=backends,
        roots=tuple(sorted((*one.roots, *other.roots), key=lambda each: each.opened_at)),
        paces=paces,
    )


# --- facts of the whole ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment of a group: on which backend it is, and whether its model is missing there."""

    group: str
    backend: str
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """What is configured of a backend, and what the store knows of its slots."""

    name: str
    kind: str = "openai"
    is_followed: bool = False
    """Whether it is known if it is there (`presence`)."""
    can_wake: bool = False
    slots: int | None = None
    used: int | None = None
    """Slots that are taken, over all workers; None where the store did not say."""
    waiting: int | None = None
    """Requests that wait for a slot, over all workers."""
    queue: int = 0
    """How many may wait."""


@dataclass(frozen=True, slots=True)
class QuotaWindow:
    """One window of a quota, and how much of it is used."""

    quota: str
    window: str
    """`requests/day`."""
    used: int
    limit: int | None
    resets_at: float
    source: str
    """Where the limit is from: `configuration`, `preset`, or what the provider said (`header`, `body`)."""
    rolling: bool = False
    used_up_at: float | None = None
    """When nothing is left at its present pace; None where not before it resets."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A time in which nothing of a quota may be sent, as its provider has said."""

    quota: str
    window: str
    until: float
    state: str
    source: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class RootFacts:
    """A request through OptiLLM that is under way, with its calls back so far."""

    id: str
    handle: str
    approach: str
    caller: str
    opened_at: float
    calls: int = 0
    calls_done: int = 0
    max_calls: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class HourCounts:
    """What is counted over all workers in the current hour and the 23 before it."""

    refusals: int = 0
    loops: int = 0
    since: float = 0.0
    """From when on it is counted: a gateway that is younger has less."""


@dataclass(frozen=True, slots=True)
class ShownSettings:
    """What the configuration says, which does not change while the gateway runs."""

    version: str
    litellm: str
    handles: tuple[tuple[str, str, str], ...]
    """(name, mode, place) of every name that is served; place is `handle`, `hidden` or `internal`."""
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The groups that are tried after a group, in order."""
    callers: tuple[tuple[str, str, tuple[str, ...] | None], ...] = ()
    """(name, role, handles); handles are None where it may use all."""
    calls_back: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """OptiLLM handles, each with the names that OptiLLM calls back for it."""
    quota_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the page is made from."""

    at: float
    shown: ShownSettings
    workers: int
    """How many workers there should be."""
    seen: int
    """How many of them have sent their facts."""
    worker: WorkerFacts
    """The facts of those that have, together."""
    deployed: tuple[Deployed, ...] = ()
    backends: tuple[BackendFacts, ...] = ()
    quotas: tuple[QuotaWindow, ...] = ()
    closed: tuple[Closed, ...] = ()
    roots: tuple[RootFacts, ...] = ()
    hours: HourCounts = HourCounts()
    store_answers: bool = True
