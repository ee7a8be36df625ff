"""The four limits of an attempt: which of them ends it, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Limit(StrEnum):
    """A limit of `homelab.timeouts`, and the value of the metrics' label `limit`."""

    CONNECT = "connect"
    FIRST_TOKEN = "first_token"  # noqa: S105 - a setting's name
    IDLE = "idle"
    TOTAL = "total"


class TimeLimits(NamedTuple):
    """The limits of one group in seconds; None means unlimited."""

    connect: float | None = None
    """Until there is a connection to the upstream: name resolution, TCP and TLS."""
    first_token: float | None = None
    """From sending the attempt to the first content of a stream."""
    idle: float | None = None
    """Waiting for the upstream between two contents of a stream."""
    total: float | None = None
    """From sending the attempt to the end of its answer."""

    @property
    def whole(self) -> TimeLimits:
        """What holds for an answer that is not streamed, and for OptiLLM: neither sends content meanwhile."""
        return TimeLimits(connect=self.connect, total=self.total)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is limited."""
        return self == TimeLimits()


class Progress(NamedTuple):
    """How far an attempt has come; times are those of one monotonic clock, in seconds."""

    sent_at: float
    has_content: bool = False
    """Whether the upstream has sent content."""
    waited: float = 0.0
    """Seconds spent waiting for the upstream since its last content; a slow client's time is not in it."""


class Deadline(NamedTuple):
    """When an attempt ends unless the upstream does something before, and which limit ends it."""

    limit: Limit
    at: float
    seconds: float
    """The limit as it is set."""


def deadline(limits: TimeLimits, progress: Progress, now: float) -> Deadline | None:
    """
    The next deadline of an attempt that waits for its upstream from `now` on; None where nothing limits it.

    Of two at the same instant `total` counts last: the other says more.
    """
    found = None
    if progress.has_content:
        if limits.idle is not None:
            found = Deadline(Limit.IDLE, now - progress.waited + limits.idle, limits.idle)
    elif limits.first_token is not None:
        found = Deadline(Limit.FIRST_TOKEN, progress.sent_at + limits.first_token, limits.first_token)
    if limits.total is not None:
        at = progress.sent_at + limits.total
        if found is None or at < found.at:
            found = Deadline(Limit.TOTAL, at, limits.total)
    return found


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that ended an attempt."""

    limit: Limit
    seconds: float
    """After how long: the limit as it is set."""


@dataclass(frozen=True, slots=True)
class Timed:
    """The limits of the attempt under way."""

    group: str
    limits: TimeLimits
    whole: TimeLimits
    """Those that hold where the attempt is not streamed."""
    judged: bool = True
    """Whether its answer is read as a model's; OptiLLM's is not: what it hands on is judged elsewhere."""
