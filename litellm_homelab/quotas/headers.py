"""Reads `x-ratelimit-*` headers, per day or per minute as each provider means them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from litellm_homelab.quotas.durations import NUMBER, moment
from litellm_homelab.quotas.observations import Observation, Source, State
from litellm_homelab.quotas.windows import Instant, Per, Unit, Window

HEADER: Final = re.compile(
    r"x-ratelimit-(limit|remaining|reset)-(requests?|req|tokens?)(?:-(second|minute|hour|day|week|month))?",
    re.ASCII,
)
"""`x-ratelimit-remaining-requests` (Groq, OpenAI), `x-ratelimit-limit-tokens-minute` (Cerebras, Mistral)."""
PREFIX: Final = "x-ratelimit-"
RETRY_AFTER: Final = "retry-after"
MEANT: Final[Mapping[str, Mapping[Unit, Per]]] = MappingProxyType(
    {
        "groq": MappingProxyType({Unit.REQUESTS: Per.DAY, Unit.TOKENS: Per.MINUTE}),
        "openai": MappingProxyType({Unit.REQUESTS: Per.MINUTE, Unit.TOKENS: Per.MINUTE}),
    }
)
"""
Which window a header without one means, by provider.

console.groq.com/docs/rate-limits: requests are per day, tokens per minute. platform.openai.com, "Rate
limits": both per minute.
"""
KNOWN: Final = frozenset({"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"})
"""Headers without a unit; OpenRouter's say in the error's text which limit they mean (`bodies.py`)."""


@dataclass(frozen=True, slots=True)
class HeadersRead:
    """What the headers of an answer say."""

    observations: tuple[Observation, ...] = ()
    is_unknown: bool = False


def read(
    headers: Iterable[tuple[str, str]], provider: str, windows: Iterable[Window], now: Instant
) -> HeadersRead:
    """
    What the headers of an answer say; `windows` are those of the quota.

    For a provider that is not known, a header without a window means the one window of that unit whose limit
    it names.
    """
    found: dict[tuple[Unit, Per | None], dict[str, str]] = defaultdict(dict)
    unknown = False
    for name, value in headers:
        match = HEADER.fullmatch(name.lower())
        if match is not None:
            kind, unit, per = match.groups()
            place = (Unit.TOKENS if unit.startswith("token") else Unit.REQUESTS, Per(per) if per else None)
            found[place][kind] = value.strip()
        elif name.lower().startswith(PREFIX) and name.lower() not in KNOWN:
            unknown = True
    windows, seen = tuple(windows), []
    for (unit, per), values in found.items():
        meant = per or MEANT.get(provider, {}).get(unit) or _of_that_limit(unit, values, windows)
        one = _observation(unit, meant, values, now) if meant else None
        if one is None:
            unknown = True
        else:
            seen.append(one)
    return HeadersRead(tuple(seen), unknown)


def _of_that_limit(unit: Unit, values: Mapping[str, str], windows: Iterable[Window]) -> Per | None:
    limit = _number(values.get("limit"))
    found = {one.calendar.per for one in windows if one.unit is unit and one.limit == limit is not None}
    return found.pop() if len(found) == 1 else None


def _observation(unit: Unit, per: Per, values: Mapping[str, str], now: Instant) -> Observation | None:
    """What the three headers of one window say; None where one of their numbers cannot be read."""
    limit, remaining = _number(values.get("limit")), _number(values.get("remaining"))
    until = moment(values["reset"], now) if "reset" in values else None
    written = [name for name in ("limit", "remaining", "reset") if name in values]
    if len(written) != sum(one is not None for one in (limit, remaining, until)) or written == ["reset"]:
        return None
    if limit == 0:
        return Observation(unit, per, Source.HEADER, limit, remaining, State.ABSENT)
    state = State.CLOSED if remaining == 0 else State.OPEN
    return Observation(unit, per, Source.HEADER, limit, remaining, state, until)


def _number(text: str | None) -> int | None:
    if text is None or not NUMBER.fullmatch(text):
        return None
    return int(float(text))


def retry_at(headers: Iterable[tuple[str, str]], now: Instant) -> Iterator[Instant]:
    """When `retry-after` says to ask again."""
    for name, value in headers:
        found = moment(value, now) if name.lower() == RETRY_AFTER else None
        if found is not None and found > now:
            yield found
