"""What `/homelab.json` says, and so the page: `view` makes it from facts; docs/page.md has every name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from litellm_homelab.page import problems, routing, states
from litellm_homelab.page.facts import Facts, QuotaWindow
from litellm_homelab.page.problems import Problem
from litellm_homelab.page.routing import Map


@dataclass(frozen=True, slots=True)
class GatewayView:
    """Which gateway this is, and whose numbers these are."""

    version: str
    litellm: str
    workers: int
    workers_seen: int
    is_exact: bool
    """False where a worker, or the store, did not answer: then some numbers are of fewer workers."""


@dataclass(frozen=True, slots=True)
class HandleView:
    """A name that is served."""

    name: str
    mode: str
    place: str
    state: str
    backends: tuple[str, ...]
    fallbacks: tuple[str, ...]
    waiting: int
    """Requests that wait for its backends, whatever they asked for."""
    tokens_per_second: float | None
    """The mean of the answers of the last minute; None where there was none."""


@dataclass(frozen=True, slots=True)
class BackendView:
    """A server."""

    name: str
    kind: str
    state: str
    since: str | None
    loaded: tuple[str, ...]
    slots: int | None
    slots_used: int | None
    waiting: int | None
    handles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RootView:
    """A request through OptiLLM that is under way."""

    id: str
    handle: str
    approach: str
    caller: str
    since: str
    calls: int
    calls_done: int
    max_calls: int
    tokens: int


@dataclass(frozen=True, slots=True)
class QuotaView:
    """A window of a quota."""

    name: str
    window: str
    groups: tuple[str, ...]
    used: int
    limit: int | None
    left: int | None
    resets_at: str
    is_rolling: bool
    source: str
    used_up_at: str | None
    closed_until: str | None
    closed_by: str | None


@dataclass(frozen=True, slots=True)
class RefusalView:
    """A refusal, or several in a row that differ in their time alone."""

    at: str
    times: int
    type: str
    status: int
    rule: str
    handle: str | None
    caller: str
    message: str


@dataclass(frozen=True, slots=True)
class CountsView:
    """Counts over all workers in the current hour and the 23 before it."""

    refusals_24h: int
    loops_blocked_24h: int
    since: str


@dataclass(frozen=True, slots=True)
class PageView:
    """Everything on the page."""

    gateway: GatewayView
    problems: tuple[Problem, ...]
    handles: tuple[HandleView, ...]
    backends: tuple[BackendView, ...]
    roots: tuple[RootView, ...]
    quotas: tuple[QuotaView, ...]
    refusals: tuple[RefusalView, ...]
    counts: CountsView
    map: Map


def iso(at: float) -> str:
    """A moment as ISO 8601 in UTC, whole seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def view(facts: Facts) -> PageView:
    """What is shown of facts."""
    return PageView(
        _gateway(facts),
        tuple(problems.found(facts)),
        tuple(_handles(facts)),
        tuple(_backends(facts)),
        tuple(_roots(facts)),
        tuple(_quota(facts, one) for one in facts.quotas),
        tuple(_refusals(facts)),
        CountsView(facts.hours.refusals, facts.hours.loops, iso(facts.hours.since)),
        routing.drawn(facts),
    )


def _gateway(facts: Facts) -> GatewayView:
    is_exact = facts.store_answers and facts.seen >= facts.workers
    return GatewayView(facts.shown.version, facts.shown.litellm, facts.workers, facts.seen, is_exact)


def _handles(facts: Facts) -> Iterator[HandleView]:
    waiting = {one.name: one.waiting or 0 for one in facts.backends}
    for name, mode, place in facts.shown.handles:
        own = states.backends_of(facts, [name])
        total, number = facts.worker.paces.get(name, (0.0, 0))
        yield HandleView(
            name,
            mode,
            place,
            states.handle_state(facts, name).value,
            own,
            facts.shown.chains.get(name, ()),
            sum(waiting.get(one, 0) for one in own),
            round(total / number, 1) if number else None,
        )


def _backends(facts: Facts) -> Iterator[BackendView]:
    for one in facts.backends:
        seen = facts.worker.backends.get(one.name)
        groups = dict.fromkeys(each.group for each in facts.deployed if each.backend == one.name)
        yield BackendView(
            one.name,
            one.kind,
            states.shown_state(facts, one),
            iso(seen.since) if seen is not None else None,
            seen.loaded if seen is not None else (),
            one.slots,
            one.used,
            one.waiting,
            tuple(groups),
        )


def _roots(facts: Facts) -> Iterator[RootView]:
    for one in facts.roots:
        counts = (one.calls, one.calls_done, one.max_calls, one.tokens)
        yield RootView(one.id[:8], one.handle, one.approach, one.caller, iso(one.opened_at), *counts)


def _quota(facts: Facts, one: QuotaWindow) -> QuotaView:
    closed = [each for each in facts.closed if each.quota == one.quota and each.window == one.window]
    closed = closed or [each for each in facts.closed if each.quota == one.quota]
    last = max(closed, key=lambda each: each.until, default=None)
    return QuotaView(
        one.quota,
        one.window,
        facts.shown.quota_groups.get(one.quota, ()),
        one.used,
        one.limit,
        None if one.limit is None else max(0, one.limit - one.used),
        iso(one.resets_at),
        one.rolling,
        one.source,
        None if one.used_up_at is None else iso(one.used_up_at),
        None if last is None else iso(last.until),
        None if last is None else last.source,
    )


def _refusals(facts: Facts) -> Iterator[RefusalView]:
    """The last ones, the newest first."""
    newest = sorted(facts.worker.refusals, key=lambda one: -one.at)
    alike = groupby(
        newest, key=lambda one: (one.type, one.status, one.rule, one.handle, one.caller, one.message)
    )
    for key, ones in alike:
        every = list(ones)
        yield RefusalView(iso(every[0].at), len(every), *key)
