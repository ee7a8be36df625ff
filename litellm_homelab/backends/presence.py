"""Whether a backend is there, and which models it has: what follows from probes and attempts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_homelab.config.sections import BackendSection


class BackendState(StrEnum):
    """The states of a backend (the contract's section on backends)."""

    UP = "up"
    BUSY = "busy"
    """It is there and cannot answer now: its event loop is blocked, or it is loading a model."""
    WAKING = "waking"
    ABSENT = "absent"
    UNAUTHORIZED = "unauthorized"
    """It is there and refuses the key of its deployment."""
    LIMITED = "limited"
    """It is there and answers with 429."""
    UNKNOWN = "unknown"


class ProbeOutcome(StrEnum):
    """What a probe has seen; values of the label `outcome`."""

    ANSWERED = "answered"
    BUSY = "busy"
    UNAUTHORIZED = "unauthorized"
    LIMITED = "limited"
    ABSENT = "absent"
    """There was no connection: refused, unreachable, or not made in time."""


STATE_OF: Final = {
    ProbeOutcome.ANSWERED: BackendState.UP,
    ProbeOutcome.BUSY: BackendState.BUSY,
    ProbeOutcome.UNAUTHORIZED: BackendState.UNAUTHORIZED,
    ProbeOutcome.LIMITED: BackendState.LIMITED,
    ProbeOutcome.ABSENT: BackendState.ABSENT,
}
AWAY: Final = frozenset({BackendState.ABSENT, BackendState.WAKING})
"""States in which an attempt would find nothing: unknown is not absent."""
UNAUTHORIZED_STATUSES: Final = frozenset({401, 403})
TOO_MANY: Final = 429
SERVER_ERROR: Final = 500
EVERY_SECONDS: Final = 15.0
"""After which a backend without probes is asked for again: the default of `probe_seconds`."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What one probe has found."""

    outcome: ProbeOutcome
    models: frozenset[str] | None = None
    """The models that the backend has; None where its list does not say, or is not complete."""
    loaded: frozenset[str] = frozenset()
    """Those that are in memory now."""

    def written(self) -> str:
        """It as text, for the store that workers share."""
        models = None if self.models is None else sorted(self.models)
        return json.dumps({"outcome": self.outcome, "models": models, "loaded": sorted(self.loaded)})


def read(text: str) -> Probed:
    """
    Read what `Probed.written` wrote.

    Raises:
        ValueError: it is something else.

    """
    try:
        found = json.loads(text)
        models = found["models"]
        return Probed(
            ProbeOutcome(found["outcome"]),
            None if models is None else frozenset(map(str, models)),
            frozenset(map(str, found["loaded"])),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not what a probe has seen") from error


def outcome_of(status: int) -> ProbeOutcome:
    """What an answer's status says of the server: any answer at all says that it is there."""
    if status in UNAUTHORIZED_STATUSES:
        return ProbeOutcome.UNAUTHORIZED
    if status == TOO_MANY:
        return ProbeOutcome.LIMITED
    return ProbeOutcome.BUSY if status >= SERVER_ERROR else ProbeOutcome.ANSWERED


def probe_intervals(sections: Mapping[str, BackendSection]) -> dict[str, float]:
    """The seconds between two probes of each backend that has `presence`."""
    return {name: one.presence.probe_seconds for name, one in sections.items() if one.presence is not None}


def retry_after(intervals: Mapping[str, float], backends: Iterable[str]) -> int:
    """Seconds after which more is known of one of some backends: its next probe."""
    seconds = (intervals.get(one, EVERY_SECONDS) for one in backends)
    return max(1, round(min(seconds, default=EVERY_SECONDS)))


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a backend."""

    state: BackendState = BackendState.UNKNOWN
    since: float = 0.0
    """When it came into this state, in seconds since the epoch."""
    models: frozenset[str] | None = None
    """The models that it has; None where that is not known."""
    loaded: frozenset[str] = frozenset()

    @property
    def is_away(self) -> bool:
        """Whether an attempt would find nothing there."""
        return self.state in AWAY

    def has(self, names: Collection[str]) -> bool:
        """Whether it may have a model, given all spellings of its name; what is not known counts as yes."""
        return self.models is None or not self.models.isdisjoint(names)

    def has_loaded(self, names: Collection[str]) -> bool:
        """Whether a model is in its memory."""
        return not self.loaded.isdisjoint(names)

    def probed(self, seen: Probed, now: float) -> Standing:
        """
        The standing after a probe.

        A backend that is only busy keeps the models that it had; one that wakes is absent until it answers.
        """
        if self.state is BackendState.WAKING and seen.outcome is ProbeOutcome.ABSENT:
            return self
        found = self._in(STATE_OF[seen.outcome], now)
        if seen.outcome is ProbeOutcome.ANSWERED:
            return replace(found, models=seen.models, loaded=seen.loaded)
        if seen.outcome is ProbeOutcome.ABSENT:
            return replace(found, models=None, loaded=frozenset())
        return found

    def unreachable(self, now: float) -> Standing:
        """The standing after an attempt that found no connection; the next probe brings it back."""
        return replace(self._in(BackendState.ABSENT, now), models=None, loaded=frozenset())

    def woken(self, now: float) -> Standing:
        """The standing after something was sent that wakes it."""
        return self._in(BackendState.WAKING, now) if self.state is BackendState.ABSENT else self

    def overslept(self, now: float) -> Standing:
        """The standing of a backend that did not wake in time."""
        return self._in(BackendState.ABSENT, now) if self.state is BackendState.WAKING else self

    def lapsed(self, now: float, seconds: float) -> Standing:
        """The standing of a backend that nothing probes: after a while its absence is not known any more."""
        is_over = self.state is BackendState.ABSENT and now - self.since >= seconds
        return self._in(BackendState.UNKNOWN, now) if is_over else self

    def _in(self, state: BackendState, now: float) -> Standing:
        return self if state is self.state else replace(self, state=state, since=now)
