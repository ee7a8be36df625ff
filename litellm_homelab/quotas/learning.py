"""What an answer of a provider changes: which windows it closes until when, their limits, what is used."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from litellm_homelab.quotas import bodies, headers
from litellm_homelab.quotas.observations import CONFIDENCE, Learned, Observation, Source, State, strongest
from litellm_homelab.quotas.windows import LONGEST, Calendar, Instant, Per, Unit, Window
from litellm_homelab.state.account import Closure, Corrections, KnownLimit

TOO_MANY: Final = 429
LONGEST_RETRY: Final = 86_400
"""Longest closure, in seconds, for a `retry-after` that names no window."""
TOLERANCE: Final = 300
"""Seconds by which a worker's clock may be behind and still see a closure that was just learned."""
ABSENT_SECONDS: Final = 86_400
"""After how long a model that was not in the free tier is tried again."""


_LIMITS: Final = re.compile(f"{headers.PREFIX}|{headers.RETRY_AFTER}".encode(), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is read of a provider's answer."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    """Of an error; of any other answer it is not needed."""
    provider: str = ""
    """The preset's, or the one at the address; empty where neither is known."""


def has_limits(raw: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether an answer's headers, as they travelled, may say something of limits: most have nothing."""
    return _LIMITS.search(b"\n".join(chain.from_iterable(raw))) is not None


def learn(answer: Answered, windows: Iterable[Window], now: Instant) -> Learned:
    """Everything that an answer says of the limits of an account with these windows."""
    said = headers.read(answer.headers, answer.provider, windows, now)
    error = bodies.read(answer.status, answer.body, answer.provider, now)
    found = strongest((*said.observations, *error.observations))
    retry = None
    unknown = said.is_unknown
    if answer.status == TOO_MANY and all(one.state is State.OPEN for one in found):
        retry = error.retry_at or next(headers.retry_at(answer.headers, now), None)
        retry = None if error.is_known and error.retry_at is None else retry
        unknown = unknown or (retry is None and not error.is_known)
    return Learned(found, retry, unknown)


def corrections(
    learned: Learned, windows: Iterable[Window], calendars: Mapping[Per, Calendar], group: str, now: Instant
) -> Corrections:
    """
    What becomes of an account.

    `calendars` are the provider's, where no window of the account has one of that length. A closure lasts as
    long as the provider says of that window, at most the window's own length; where it says nothing, to the
    end of the window. Some refill all the time (Groq), so the moment that they name counts for more than what
    they say is used.
    """
    known = {one.name: one for one in windows}
    own = {one.calendar.per: one.calendar for one in known.values()}
    calendars = {**calendars, **own}
    closures = {
        name: closure
        for one in learned.observations
        for name, closure in _closures(one, calendars, group, now)
    }
    if learned.retry_at is not None and learned.retry_at > now:
        closures["retry"] = _closure(
            now, min(learned.retry_at, now + LONGEST_RETRY), State.CLOSED, Source.RETRY
        )
    limits = {
        one.name: KnownLimit(one.limit, CONFIDENCE[one.source], one.source)
        for one in learned.observations
        if one.limit and one.name in known
    }
    used = {
        f"{one.name}@{known[one.name].span(now).start}": one.limit - one.remaining
        for one in learned.observations
        if one.limit and one.remaining is not None and one.name in known and not known[one.name].rolling
        if not _opens_before(one, known[one.name].span(now).end)
    }
    return Corrections(closures, limits, {key: amount for key, amount in used.items() if amount > 0})


def _opens_before(one: Observation, end: Instant) -> bool:
    """Whether a window is closed now and opens before its end: a count would keep it closed for longer."""
    return one.state is State.CLOSED and one.until is not None and one.until < end


def _closures(
    one: Observation, calendars: Mapping[Per, Calendar], group: str, now: Instant
) -> Iterator[tuple[str, Closure]]:
    if one.state is State.ABSENT:
        yield f"absent:{group}", _closure(now, now + ABSENT_SECONDS, one.state, one.source, group)
    elif one.state is not State.OPEN:
        span = calendars.get(one.per, Calendar(one.per)).span(now)
        ends = one.until if one.until is not None else span.end
        if one.state is State.PAYMENT and one.per is Per.HOUR:
            ends = now + LONGEST[Per.HOUR]
        ends = min(ends, now + LONGEST[one.per])
        if ends > now:
            name = one.name if one.unit is not Unit.CREDITS else f"{one.name}:{one.state}"
            whole = one.until is None and one.per not in (Per.SECOND, Per.MINUTE, Per.HOUR)
            yield name, _closure(span.start + TOLERANCE if whole else now, ends, one.state, one.source)


def _closure(since: float, until: float, state: State, source: Source, group: str = "") -> Closure:
    return Closure(math.floor(since) - TOLERANCE, math.ceil(until), state, source, group)
