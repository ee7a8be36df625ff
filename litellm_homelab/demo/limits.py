"""Limits of a free tier: a backend counts requests, and answers like a provider that has such limits."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

ZONES: Final = {
    "groq": "UTC",
    "gemini": "America/Los_Angeles",
    "openrouter": "UTC",
    "mistral": "UTC",
}
"""Where a provider's day begins; the demo's Groq has calendar days in the place of its rolling ones."""
PER_MODEL: Final = ("groq", "gemini")
"""Providers that count each model for itself."""
PERIODS: Final = ("minute", "day")
MOST: Final = 1_000_000
VALID: Final = f"like: {', '.join(ZONES)}; requests: 0 to {MOST}; per: {' or '.join(PERIODS)}"

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class TierLimit:
    """A number of requests per minute or day, counted and refused as the provider `like` does it."""

    like: str
    requests: int
    per: str

    @classmethod
    def parse(cls, raw: object) -> TierLimit:
        """Read ``{"like": "groq", "requests": 3, "per": "day"}``; a ValueError says what is wrong."""
        if not isinstance(raw, dict) or set(raw) != {"like", "requests", "per"}:
            raise ValueError(f"body: expected an object with like, requests and per (valid: {VALID})")
        number = raw["requests"]
        whole = isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MOST
        if not whole or raw["like"] not in (*ZONES,) or raw["per"] not in PERIODS:
            raise ValueError(f"got {json.dumps(raw)} (valid: {VALID})")
        return cls(raw["like"], number, raw["per"])

    def as_dict(self) -> dict[str, Any]:
        """The limit as ``parse`` reads it."""
        return {"like": self.like, "requests": self.requests, "per": self.per}

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """Beginning and end of the window that a moment belongs to."""
        if self.per == "minute":
            start = now.replace(second=0, microsecond=0)
            return start, start + timedelta(minutes=1)
        local = now.astimezone(ZoneInfo(ZONES[self.like]))
        start, end = (
            datetime.combine(local.date() + timedelta(days=days), time(), local.tzinfo).astimezone(UTC)
            for days in (0, 1)
        )
        return start, end


class LimitSwitch:
    """The limit of one backend; every request to a model asks it once."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._limit: TierLimit | None = None
        self._used: dict[tuple[str, datetime], int] = {}

    @property
    def current(self) -> TierLimit | None:
        """The limit that is switched on."""
        return self._limit

    def switch(self, limit: TierLimit | None) -> None:
        """Count from nothing, by this limit or by none."""
        self._limit = limit
        self._used.clear()

    def take(self, model: str) -> tuple[dict[str, str], Answer | None]:
        """Count one request: headers for its answer, or the answer of a limit that is reached."""
        limit = self._limit
        if limit is None:
            return {}, None
        now = datetime.fromtimestamp(self._clock(), UTC)
        start, end = limit.window(now)
        key = (model if limit.like in PER_MODEL else "", start)
        used = self._used.get(key, 0)
        seconds = (end - now).total_seconds()
        if used >= limit.requests:
            return {}, ANSWERS[limit.like](limit, model, seconds, end)
        self._used[key] = used + 1
        return _headers(limit, limit.requests - used - 1, seconds), None


def _headers(limit: TierLimit, left: int, seconds: float) -> dict[str, str]:
    """Groq's headers, whose requests are those of a day (console.groq.com/docs/rate-limits)."""
    if limit.like != "groq" or limit.per != "day":
        return {}
    return {
        "x-ratelimit-limit-requests": str(limit.requests),
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-reset-requests": _duration(seconds),
    }


def _duration(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest:.3f}s"


def _json(document: object, **headers: str) -> Answer:
    later = {name.replace("_", "-"): value for name, value in headers.items()}
    return 429, {"content-type": "application/json", **later}, json.dumps(document).encode()


def _groq(limit: TierLimit, model: str, seconds: float, _: datetime) -> Answer:
    text = (
        f"Rate limit reached for model `{model}` in organization `org_demo` service tier `on_demand` on "
        f"requests per {limit.per} (RP{limit.per[0].upper()}): Limit {limit.requests}, "
        f"Used {limit.requests}, Requested 1. Please try again in {_duration(seconds)}."
    )
    error = {"message": text, "type": "requests", "code": "rate_limit_exceeded"}
    return _json({"error": error}, retry_after=str(math.ceil(seconds)), **_headers(limit, 0, seconds))


def _gemini(limit: TierLimit, model: str, _: float, __: datetime) -> Answer:
    """Its OpenAI-compatible route has the error in a list; the delay is short for a day as well."""
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": f"GenerateRequestsPer{limit.per.title()}PerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(limit.requests),
    }
    details = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"},
    ]
    text = "You exceeded your current quota, please check your plan and billing details."
    error = {"code": 429, "message": text, "status": "RESOURCE_EXHAUSTED", "details": details}
    return _json([{"error": error}])


def _openrouter(limit: TierLimit, _: str, __: float, end: datetime) -> Answer:
    period = "min" if limit.per == "minute" else "day"
    headers = {
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(round(end.timestamp() * 1000)),
    }
    text = f"Rate limit exceeded: free-models-per-{period}. Add 10 credits to unlock more requests"
    error = {"message": text, "code": 429, "metadata": {"headers": headers, "provider_name": None}}
    return _json({"error": error, "user_id": "user_demo"})


def _mistral(_: TierLimit, __: str, ___: float, ____: datetime) -> Answer:
    """A 429 that says nothing of which limit it is."""
    return _json(
        {"object": "error", "message": "Rate limit exceeded", "type": "rate_limited", "code": "1300"}
    )


ANSWERS: Final[dict[str, Callable[[TierLimit, str, float, datetime], Answer]]] = {
    "groq": _groq,
    "gemini": _gemini,
    "openrouter": _openrouter,
    "mistral": _mistral,
}
