"""Windows in every IANA zone: over the changes of its clocks, in months, and rolling ones."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.quotas.windows import CALENDAR, LONGEST, Calendar, Per, Span, Unit, Window

ZONES = sorted(available_timezones())
PACIFIC = "America/Los_Angeles"
FROM, TO = datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


def at(text: str) -> float:
    """The moment of an ISO text."""
    return datetime.fromisoformat(text).timestamp()


@functools.cache
def changes(zone: str) -> tuple[int, ...]:
    """When a zone's clocks change in these years."""
    return tuple(_changes(ZoneInfo(zone)))


def _changes(zone: ZoneInfo) -> Iterator[int]:
    first, step = int(FROM.timestamp()), 7 * 86_400
    for week in range(first, int(TO.timestamp()), step):
        low, high = week, week + step
        if _offset(zone, low) == _offset(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if _offset(zone, middle) == _offset(zone, low):
                low = middle
            else:
                high = middle
        yield high


def _offset(zone: ZoneInfo, moment: int) -> timedelta | None:
    return datetime.fromtimestamp(moment, zone).utcoffset()


def around(moment: int) -> Iterator[int]:
    """Moments before and after a change, to the second, and on the days beside it."""
    yield from (moment + hours * 3600 + 900 for hours in range(-36, 37, 12))
    yield from (moment - 1, moment, moment + 1)


@pytest.mark.parametrize("reset", [time(0), time(2, 30)], ids=str)
def test_days_of_every_zone_follow_one_another_where_the_clocks_change(reset: time) -> None:
    """Each moment is in one day of 20 to 28 hours, and the next one begins where it ends."""
    seen = 0
    for zone in ZONES:
        of = Calendar(Per.DAY, zone, reset)
        for moment in (one for change in changes(zone) for one in around(change)):
            span = of.span(moment)
            assert moment in span
            assert 20 * 3600 <= span.end - span.start <= 28 * 3600, (zone, moment)
            assert of.span(span.start) == span == of.span(span.end - 1)
            assert of.span(span.end).start == span.end
            assert of.span(span.start - 1).end == span.start
            seen += 1
    assert seen > 5_000


@settings(max_examples=400)
@given(
    zone=st.sampled_from(ZONES),
    moment=st.integers(int(at("1900-01-01T00:00:00+00:00")), int(at("2100-01-01T00:00:00+00:00"))),
    per=st.sampled_from(Per),
    reset=st.times(),
)
def test_windows_neither_overlap_nor_leave_a_gap(zone: str, moment: int, per: Per, reset: time) -> None:
    """In any zone, year and length: a moment is in its window, whose neighbours begin and end at it."""
    of = Calendar(per, zone, reset.replace(microsecond=0, fold=0))
    span = of.span(moment)
    assert span.start <= moment < span.end
    assert of.span(span.start) == of.span(span.end - 1) == span
    assert of.span(span.end).start == span.end
    assert of.span(span.start - 1).end == span.start
    assert span.end - span.start <= LONGEST[per] + 25 * 3600 * (per in CALENDAR)


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_begins_at_local_midnight(zone: str) -> None:
    """A day begins at 00:00 of the zone, or where the clocks skip that, at the first moment after it."""
    of, moment = Calendar(Per.DAY, zone), int(FROM.timestamp())
    for _ in range(366):
        span = of.span(moment)
        local = datetime.fromtimestamp(span.start, ZoneInfo(zone))
        before = datetime.fromtimestamp(span.start - 1, ZoneInfo(zone))
        assert (local.hour, local.minute) == (0, 0) or before.date() < local.date()
        assert local.fold == 0
        moment = span.end


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2026-03-08T07:59:59+00:00", "2026-03-07T08:00:00+00:00", "2026-03-08T08:00:00+00:00"),
        ("2026-03-08T08:00:00+00:00", "2026-03-08T08:00:00+00:00", "2026-03-09T07:00:00+00:00"),
        ("2026-10-31T23:00:00+00:00", "2026-10-31T07:00:00+00:00", "2026-11-01T07:00:00+00:00"),
        ("2026-11-01T07:00:00+00:00", "2026-11-01T07:00:00+00:00", "2026-11-02T08:00:00+00:00"),
        ("2026-11-02T07:30:00+00:00", "2026-11-01T07:00:00+00:00", "2026-11-02T08:00:00+00:00"),
    ],
    ids=["before spring", "the 23 hours", "before autumn", "the 25 hours", "their last hour"],
)
def test_midnight_pacific_on_both_change_days(moment: str, start: str, end: str) -> None:
    """Gemini's day has 23 hours in March and 25 in November (ai.google.dev: midnight Pacific time)."""
    assert Calendar(Per.DAY, PACIFIC).span(at(moment)) == Span(int(at(start)), int(at(end)))


@pytest.mark.parametrize(
    ("zone", "reset", "moment", "start"),
    [
        (PACIFIC, time(2, 30), "2026-03-08T12:00:00+00:00", "2026-03-08T10:30:00+00:00"),
        (PACIFIC, time(1, 30), "2026-11-01T20:00:00+00:00", "2026-11-01T08:30:00+00:00"),
        ("Africa/Cairo", time(0), "2026-04-24T12:00:00+00:00", "2026-04-23T22:00:00+00:00"),
        ("Pacific/Apia", time(0), "2011-12-30T12:00:00+00:00", "2011-12-30T10:00:00+00:00"),
    ],
    ids=["skipped", "twice", "midnight skipped", "day skipped"],
)
def test_a_reset_that_the_clocks_skip_or_repeat(zone: str, reset: time, moment: str, start: str) -> None:
    """A skipped time comes as long after the change; of two the first counts; a skipped date has no day."""
    assert Calendar(Per.DAY, zone, reset).span(at(moment)).start == int(at(start))


@pytest.mark.parametrize("zone", ["UTC", PACIFIC, "Asia/Kathmandu", "Pacific/Kiritimati"])
def test_months_begin_on_the_first(zone: str) -> None:
    """Twelve months a year, each from its first day at local midnight, February of a leap year included."""
    of, moment = Calendar(Per.MONTH, zone), at("2024-01-15T00:00:00+00:00")
    starts = []
    for _ in range(25):
        span = of.span(moment)
        starts.append(datetime.fromtimestamp(span.start, ZoneInfo(zone)))
        moment = span.end
    assert {(one.day, one.hour, one.minute) for one in starts} == {(1, 0, 0)}
    months = [one.year * 12 + one.month for one in starts]
    assert all(after == before + 1 for before, after in pairwise(months))


def test_weeks_begin_on_monday() -> None:
    """A week begins on Monday at the reset time."""
    span = Calendar(Per.WEEK, PACIFIC, time(6)).span(at("2026-03-09T12:00:00+00:00"))
    assert span.start == int(at("2026-03-02T06:00:00-08:00"))
    assert span.end == int(at("2026-03-09T06:00:00-07:00"))


@settings(max_examples=200)
@given(
    limit=st.integers(1, 6),
    per=st.sampled_from([Per.MINUTE, Per.HOUR, Per.DAY]),
    gaps=st.lists(st.floats(0, 3), max_size=60),
)
def test_a_rolling_window_never_has_more_than_its_limit(limit: int, per: Per, gaps: list[float]) -> None:
    """In any time of its length no more is granted than the limit, and `frees` says when one more is."""
    window = Window(Unit.REQUESTS, limit, Calendar(per), rolling=True)
    length, now, used, granted = LONGEST[per] if per is not Per.DAY else 86_400, 1e9, dict[int, int](), []
    for gap in gaps:
        now += gap * length / limit
        counts = window.counted(now)
        if sum(used.get(one, 0) for one in counts) < limit:
            used[counts[0]] = used.get(counts[0], 0) + 1
            granted.append(now)
        else:
            free = window.frees(now, used, limit, 1)
            assert now < free <= now + 2 * length
            assert sum(used.get(one, 0) for one in window.counted(free)) < limit
            assert sum(used.get(one, 0) for one in window.counted(free - 1)) >= limit
    for begin in granted:
        assert sum(begin <= one < begin + length for one in granted) <= limit


@settings(max_examples=200)
@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(int(FROM.timestamp()), int(TO.timestamp())),
    steps=st.lists(st.integers(-9 * 3600, 9 * 3600), max_size=80),
)
def test_a_clock_that_steps_gets_no_second_day_and_loses_none(
    zone: str, start: int, steps: list[int]
) -> None:
    """However a clock goes back and forth by hours, a day is granted once, and whole."""
    window, used, now = Window(Unit.REQUESTS, 3, Calendar(Per.DAY, zone)), dict[int, int](), start
    for step in steps:
        now += step
        day = window.counted(now)[0]
        before = used.get(day, 0)
        if before < 3:
            used[day] = before + 1
    assert all(count <= 3 for count in used.values())
    for day, count in used.items():
        assert window.counted(day)[0] == day
        moments = [start + sum(steps[: number + 1]) for number in range(len(steps))]
        assert count == min(3, sum(window.counted(one)[0] == day for one in moments))
