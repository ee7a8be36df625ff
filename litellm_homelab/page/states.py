"""How a handle is, given its backends, its quotas and its chain."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from litellm_homelab.backends.presence import BackendState
from litellm_homelab.page.facts import BackendFacts, Closed, Deployed, Facts, QuotaWindow

AWAY: Final = frozenset({"waking", "asleep", "absent"})
"""States of a backend that is not there now."""
_BEST_FIRST: Final = ("up", "unknown", "busy", "limited", "unauthorized", "waking", "asleep", "absent")


class HandleState(StrEnum):
    """How a handle is, for whoever asks it now."""

    UP = "up"
    UNKNOWN = "unknown"
    """Nothing says whether its server is there: its backend has no `presence`, or was not probed yet."""
    BUSY = "busy"
    LIMITED = "limited"
    UNAUTHORIZED = "unauthorized"
    WAKING = "waking"
    ASLEEP = "asleep"
    """Its server is away, and a request wakes it."""
    FALLBACK = "fallback"
    """It cannot answer itself, and a group of its chain can."""
    EXHAUSTED = "exhausted"
    """A quota of its own is used up, and nothing of its chain is there."""
    ABSENT = "absent"


GOOD: Final = frozenset(
    {HandleState.UP, HandleState.UNKNOWN, HandleState.BUSY, HandleState.FALLBACK, HandleState.LIMITED}
)
"""States in which a request has a chance of an answer without a wait for a server: unknown is not absent."""


def backend_state(facts: Facts, backend: str) -> str:
    """How a backend is; `unknown` where nothing follows it."""
    seen = facts.worker.backends.get(backend)
    return seen.state if seen is not None else "unknown"


def shown_state(facts: Facts, backend: BackendFacts) -> str:
    """How a backend is shown: one that is away is `asleep` where a request wakes it."""
    state = backend_state(facts, backend.name)
    return "asleep" if state == BackendState.ABSENT and backend.can_wake else state


def handle_state(facts: Facts, name: str) -> HandleState:
    """How a handle is: by the best of its own deployments, else by its chain."""
    own = own_state(facts, name)
    if own in GOOD:
        return own
    chain = facts.shown.chains.get(name, ())
    return HandleState.FALLBACK if any(own_state(facts, one) in GOOD for one in chain) else own


def own_state(facts: Facts, group: str) -> HandleState:
    """How a group is without its chain."""
    if spent(facts, group):
        return HandleState.EXHAUSTED
    backends = {one.name: one for one in facts.backends}
    found = [_of(facts, one, backends) for one in facts.deployed if one.group == group]
    return HandleState(min(found, key=_BEST_FIRST.index, default="unknown"))


def spent(facts: Facts, group: str) -> bool:
    """Whether a quota that a group takes from is used up, or closed by its provider."""
    names = [name for name, groups in facts.shown.quota_groups.items() if group in groups]
    return any(_is_empty(one) for one in facts.quotas if one.quota in names) or any(
        _is_closed(one, group) for one in facts.closed if one.quota in names
    )


def _is_empty(window: QuotaWindow) -> bool:
    return window.limit is not None and window.used >= window.limit


def _is_closed(closed: Closed, group: str) -> bool:
    return closed.group in ("", group)


def _of(facts: Facts, deployed: Deployed, backends: dict[str, BackendFacts]) -> str:
    backend = backends.get(deployed.backend, BackendFacts(deployed.backend))
    state = shown_state(facts, backend)
    return "absent" if deployed.is_missing and state not in AWAY else state


def backends_of(facts: Facts, groups: Iterable[str]) -> tuple[str, ...]:
    """The backends of some groups, each once, in the order of the deployments."""
    wanted = frozenset(groups)
    return tuple(dict.fromkeys(one.backend for one in facts.deployed if one.group in wanted))
