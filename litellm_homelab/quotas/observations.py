"""What an answer of a provider says of its limits: one observation for each window, with its source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from litellm_homelab.quotas.windows import Instant, Per, Unit


class Source(StrEnum):
    """Where a number comes from."""

    KEY = "key"
    """The provider's own account of the key (OpenRouter's `GET /api/v1/key`)."""
    HEADER = "header"
    BODY = "body"
    """The body of an error."""
    RETRY = "retry_after"
    """A `retry-after` that does not name its limit."""
    COUNT = "count"
    """What this gateway has counted."""
    DOCUMENT = "document"
    """A preset: what the provider's documentation said on a day."""
    UNKNOWN = "unknown"
    """Not understood; it changes nothing."""


CONFIDENCE: Final = {
    Source.KEY: 5,
    Source.HEADER: 4,
    Source.BODY: 3,
    Source.RETRY: 2,
    Source.COUNT: 1,
    Source.DOCUMENT: 0,
    Source.UNKNOWN: -1,
}
"""Of two observations of one window the one with more counts; what was measured beats what is written."""


class State(StrEnum):
    """What is known of a window beside its numbers."""

    OPEN = "open"
    CLOSED = "closed"
    """Used up."""
    PAYMENT = "payment"
    """402: the account's credits are used up, or its balance is negative."""
    ABSENT = "absent"
    """A limit of 0: the model is not in the free tier."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one answer says of one window."""

    unit: Unit
    per: Per
    source: Source
    limit: int | None = None
    remaining: int | None = None
    state: State = State.OPEN
    until: Instant | None = None
    """When it opens again, where the provider's own word on this window says so."""

    @property
    def name(self) -> str:
        """The name of the window (`Window.name`)."""
        return f"{self.unit}/{self.per}"


@dataclass(frozen=True, slots=True)
class Learned:
    """What one answer says."""

    observations: tuple[Observation, ...] = ()
    retry_at: Instant | None = None
    """When to ask again, of a 429 that names no window."""
    is_unknown: bool = False
    """Whether there was something that reads like a limit and could not be understood."""


def strongest(found: Iterable[Observation]) -> tuple[Observation, ...]:
    """One observation for each window: the most trustworthy, and of equals one that closes, then the last."""
    best: dict[str, Observation] = {}
    for one in found:
        known = best.get(one.name)
        if known is None or _weight(one) >= _weight(known):
            best[one.name] = one
    return tuple(best.values())


def _weight(one: Observation) -> tuple[bool, int]:
    """An observation that closes counts before one that does not: both may be in one answer."""
    return one.state is not State.OPEN, CONFIDENCE[one.source]
