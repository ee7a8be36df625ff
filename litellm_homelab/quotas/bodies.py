"""
Reads the errors of providers whose limit is used up: bodies of 429 and 402, and events of streams.

Each shape is documented or was seen in the field, and is recognised by itself: the address of a provider may
be a proxy's. A shape that is not listed here says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.quotas.durations import moment, seconds
from litellm_homelab.quotas.observations import Observation, Source, State
from litellm_homelab.quotas.windows import Instant, Per, Unit

PAYMENT_REQUIRED, TOO_MANY = 402, 429
LONGEST: Final = 65_536
"""Bytes of an error that are looked at."""
GROQ: Final = re.compile(
    r"Rate limit reached for .{1,400}? on (?P<what>[a-z ]{3,40}) "
    r"per (?P<per>second|minute|hour|day|week|month)(?: \([A-Z]{2,5}\))?: "
    r"Limit (?P<limit>\d{1,15})(?:\.\d+)?, Used (?P<used>\d{1,15})(?:\.\d+)?, "
    r"Requested ~?(?P<requested>\d{1,15})(?:\.\d+)?"
    r"(?:\. Please try again in (?P<again>(?:[\d.]+(?:ms|[dhms]))+))?",
    re.ASCII | re.DOTALL,
)
"""Groq's text (zed-industries and continue issues #2343, #10920): RPM, RPD, TPM, TPD, ASH, ASD."""
OPENROUTER: Final = re.compile(r"Rate limit exceeded: free-models-per-(day|min)", re.ASCII)
"""OpenRouter's text, for all models whose name ends with `:free` together (openclaude #936)."""
GEMINI_PER: Final = re.compile(r"Per(Second|Minute|Hour|Day|Month)", re.ASCII)
"""In `quotaId`: `GenerateRequestsPerDayPerProjectPerModel-FreeTier` (gemini-cli #8437)."""
CLOUDFLARE_DAY, CLOUDFLARE_BUSY = 3036, 3040
"""workers-ai/platform/errors: the daily free allocation is used up; out of capacity. Both are a 429."""
CREDIT_PERIOD: Final = {"huggingface": Per.MONTH}
"""How long a 402 of a provider lasts at most; of any other it is asked again after an hour."""


@dataclass(frozen=True, slots=True)
class BodyRead:
    """What an error says."""

    observations: tuple[Observation, ...] = ()
    retry_at: Instant | None = None
    is_known: bool = False
    """Whether it has a shape that is listed here, be it one that closes nothing."""


def read(status: int, body: bytes | str, provider: str, now: Instant) -> BodyRead:
    """What the error of a status says."""
    if status == PAYMENT_REQUIRED:
        per = CREDIT_PERIOD.get(provider, Per.HOUR)
        return BodyRead((Observation(Unit.CREDITS, per, Source.BODY, state=State.PAYMENT),), is_known=True)
    if status != TOO_MANY:
        return BodyRead()
    for document in _documents(body):
        for shape in (_gemini, _cloudflare, _openrouter, _groq):
            found = shape(document, now)
            if found is not None:
                return found
    return BodyRead()


def _documents(body: bytes | str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a body: Gemini's OpenAI-compatible route wraps its one in a list."""
    try:
        found = json.loads(body[:LONGEST])
    except (ValueError, RecursionError):
        return
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            yield one


def _error(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found = document.get("error")
    return found if isinstance(found, dict) else {}


def _dicts(value: object) -> Iterator[dict[str, Any]]:
    yield from (one for one in value if isinstance(one, dict)) if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _groq(document: Mapping[str, Any], now: Instant) -> BodyRead | None:
    match = GROQ.search(_text(_error(document).get("message")))
    if match is None:
        return None
    limit, used, requested = (int(match[name]) for name in ("limit", "used", "requested"))
    what = match["what"]
    unit = Unit.REQUESTS if what == "requests" else Unit.TOKENS if what.endswith("tokens") else Unit.CREDITS
    if requested > limit > 0:  # this request alone is too large, whatever was used
        return BodyRead(is_known=True)
    again = seconds(match["again"]) if match["again"] else None
    until = None if again is None else now + again
    state = State.CLOSED if limit else State.ABSENT
    remaining = max(0, limit - used)
    one = Observation(unit, Per(match["per"]), Source.BODY, limit, remaining, state, until)
    return BodyRead((one,), is_known=True)


def _openrouter(document: Mapping[str, Any], now: Instant) -> BodyRead | None:
    error = _error(document)
    match = OPENROUTER.search(_text(error.get("message")))
    if match is None:
        return None
    metadata = error.get("metadata")
    given = metadata.get("headers") if isinstance(metadata, dict) else None
    pairs = given.items() if isinstance(given, dict) else ()
    headers = {str(name).lower(): str(value) for name, value in pairs}
    limit, reset = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-reset", "")
    per = Per.DAY if match[1] == "day" else Per.MINUTE
    number = int(limit) if limit.isascii() and limit.isdecimal() and len(limit) < 16 else None
    until = moment(reset, now) if reset else None
    return BodyRead(
        (Observation(Unit.REQUESTS, per, Source.BODY, number or None, 0, State.CLOSED, until),), is_known=True
    )


def _gemini(document: Mapping[str, Any], now: Instant) -> BodyRead | None:
    error = _error(document)
    if error.get("status") != "RESOURCE_EXHAUSTED":
        return None
    seen: list[Observation] = []
    delay = None
    details = list(_dicts(error.get("details")))
    for detail in details:
        if _text(detail.get("@type")).endswith("google.rpc.RetryInfo"):
            delay = seconds(_text(detail.get("retryDelay")))
    retry_at = now + delay if delay else None
    for detail in details:
        if _text(detail.get("@type")).endswith("google.rpc.QuotaFailure"):
            for violation in _dicts(detail.get("violations")):
                seen.extend(_violation(violation, retry_at))
    return BodyRead(tuple(seen), None if seen else retry_at, is_known=bool(seen))


def _violation(violation: Mapping[str, Any], retry_at: Instant | None) -> Iterator[Observation]:
    """
    One limit of Gemini's.

    `retryDelay` is short even where the day is used up (hermes-agent #53710), so it counts for seconds and
    minutes only. A `quotaValue` of 0 is a model that is not in the free tier (continue #10062).
    """
    named = _text(violation.get("quotaId"))
    match = GEMINI_PER.search(named)
    if match is None:
        return
    per = Per(match[1].lower())
    tokens = "token" in f"{named} {_text(violation.get('quotaMetric'))}".lower()
    value = str(violation.get("quotaValue", ""))
    limit = int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else None
    absent = limit == 0
    yield Observation(
        Unit.TOKENS if tokens else Unit.REQUESTS,
        per,
        Source.BODY,
        limit,
        0,
        State.ABSENT if absent else State.CLOSED,
        retry_at if per in (Per.SECOND, Per.MINUTE) and not absent else None,
    )


def _cloudflare(document: Mapping[str, Any], now: Instant) -> BodyRead | None:  # noqa: ARG001 - a shape's signature
    errors = [*_dicts(document.get("errors")), _error(document)]
    codes = {one.get(name) for one in errors for name in ("code", "internalCode")}
    codes = {int(one) if isinstance(one, str) and one.isdecimal() else one for one in codes if _is_plain(one)}
    if CLOUDFLARE_DAY in codes:
        one = Observation(Unit.CREDITS, Per.DAY, Source.BODY, remaining=0, state=State.CLOSED)
        return BodyRead((one,), is_known=True)
    return BodyRead(is_known=True) if CLOUDFLARE_BUSY in codes else None


def _is_plain(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def openrouter_key(body: bytes | str) -> tuple[Observation, ...]:
    """
    What OpenRouter's `GET /api/v1/key` says of the free models' day; nothing where it says nothing.

    The shape: `{"data": {"free_model_daily_requests": {"used": 3, "limit": 50, "remaining": 47}}}`.
    """
    for document in _documents(body):
        data = document.get("data")
        found = data.get("free_model_daily_requests") if isinstance(data, dict) else None
        if not isinstance(found, dict):
            continue
        limit, remaining = found.get("limit"), found.get("remaining")
        if all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in (limit, remaining)):
            state = State.OPEN if remaining else State.CLOSED if limit else State.ABSENT
            return (Observation(Unit.REQUESTS, Per.DAY, Source.KEY, limit, remaining, state),)
    return ()
