"""
Windows in a provider's calendar: the second, minute, hour, day, week or month that a moment belongs to.

Days, weeks and months begin at a time of day in an IANA zone, so they are an hour shorter or longer where
the clocks change. Moments are seconds since the epoch (UTC); a window has its start and not its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

Instant = float
"""Seconds since the epoch."""


class Per(StrEnum):
    """The length of a window."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Unit(StrEnum):
    """What is counted; `CREDITS` are units of the provider's own, which only the provider can count."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CREDITS = "credits"


LONGEST: Final = {
    Per.SECOND: 1,
    Per.MINUTE: 60,
    Per.HOUR: 3600,
    Per.DAY: 25 * 3600,
    Per.WEEK: (7 * 24 + 1) * 3600,
    Per.MONTH: (31 * 24 + 1) * 3600,
}
"""Seconds of the longest window of each kind: with the hour that a day in autumn has more."""
LENGTH: Final = {**LONGEST, Per.DAY: 86_400, Per.WEEK: 7 * 86_400, Per.MONTH: 30 * 86_400}
"""Seconds of a rolling window of each kind."""
CALENDAR: Final = frozenset({Per.DAY, Per.WEEK, Per.MONTH})
"""Windows that begin at a local time of day; the shorter ones are counted from the epoch."""
PARTS: Final = {per: 24 if per in CALENDAR else 12 for per in Per}
"""Into how many parts a rolling window is divided: what is counted leaves it part by part."""


@dataclass(frozen=True, slots=True)
class Span:
    """One window: it begins at `start`, and the next one begins at `end`."""

    start: int
    end: int

    def __contains__(self, at: Instant) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a provider's windows of one length begin."""

    per: Per
    zone: str = "UTC"
    reset: time = time()
    """The local time of day at which a day, week (Monday) or month (the 1st) begins."""

    def span(self, at: Instant) -> Span:
        """The window that a moment belongs to."""
        if self.per not in CALENDAR:
            length = LONGEST[self.per]
            start = math.floor(at / length) * length
            return Span(start, start + length)
        found = _latest.get(self)
        if found is None or at not in found:
            found = _latest[self] = _span(self, math.floor(at))
        return found


_latest: Final[dict[Calendar, Span]] = {}
"""The window of each calendar that was asked for last: most moments are in it."""


def _span(of: Calendar, at: int) -> Span:
    zone = ZoneInfo(of.zone)
    around = datetime.fromtimestamp(at, UTC).date()
    begins = sorted(_begins(one, of.reset, zone) for one in _dates(of.per, around))
    return Span(
        max(one for one in begins if one <= at),
        min(one for one in begins if one > at),
    )


def _dates(per: Per, around: date) -> Iterator[date]:
    """
    First days of windows before and after a UTC date.

    Local dates are up to a day away from it, and a zone that crosses the date line leaves out or repeats
    one more (Pacific/Apia had no 2011-12-30); then two windows begin at the same moment.
    """
    if per is Per.DAY:
        yield from (around + timedelta(days=days) for days in range(-3, 4))
    elif per is Per.WEEK:
        monday = around - timedelta(days=around.weekday())
        yield from (monday + timedelta(weeks=weeks) for weeks in range(-2, 3))
    else:
        number = around.year * 12 + around.month - 1
        yield from (date(one // 12, one % 12 + 1, 1) for one in range(number - 2, number + 3))


def _begins(day: date, reset: time, zone: ZoneInfo) -> int:
    """
    When a local time comes on a day.

    Of a time that comes twice it is the first; one that the clocks skip comes as long after the change as
    it is after the last time before it (`fold=0`, PEP 495).
    """
    return math.floor(datetime.combine(day, reset, zone).timestamp())


@dataclass(frozen=True, slots=True)
class Window:
    """A limit, the provider's or one of router.yaml: an amount of a unit in each window of a length."""

    unit: Unit
    limit: int | None
    """None where only the provider can say when it is used up."""
    calendar: Calendar
    rolling: bool = False
    """Whether it is the time up to now, and not a part of the calendar."""
    documented: bool = False
    """Whether the limit is a preset's: what the provider says of it takes its place, larger or smaller."""

    @property
    def name(self) -> str:
        """What it is called in state and metrics: `requests/day`."""
        return f"{self.unit}/{self.calendar.per}"

    def span(self, at: Instant) -> Span:
        """The window that a moment belongs to; of a rolling one, the part of it."""
        if not self.rolling:
            return self.calendar.span(at)
        length = max(1, LENGTH[self.calendar.per] // PARTS[self.calendar.per])
        start = math.floor(at / length) * length
        return Span(start, start + length)

    def counted(self, at: Instant) -> tuple[int, ...]:
        """
        The starts of the spans whose counts add up to what is used, the one of the moment first.

        A rolling window counts each part that it touches whole: never more than the limit in any time of its
        length, and what was used is free again up to one part later.
        """
        now = self.span(at)
        if not self.rolling:
            return (now.start,)
        length = now.end - now.start
        parts = LENGTH[self.calendar.per] // length
        return tuple(now.start - number * length for number in range(parts + 1))

    def frees(self, at: Instant, used: dict[int, int], limit: int, amount: int) -> int:
        """
        When `amount` is free again, if nothing else is used until then.

        `used` has what was counted by the starts of `counted`.
        """
        now = self.span(at)
        if not self.rolling:
            return now.end
        length = now.end - now.start
        starts = sorted(self.counted(at))
        left = sum(used.get(one, 0) for one in starts)
        for one in starts:
            left -= used.get(one, 0)
            if left + amount <= limit:
                return one + length * len(starts)
        return now.start + length * len(starts)
