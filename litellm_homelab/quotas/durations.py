"""Times as providers write them in headers and errors: durations, seconds, and moments of several kinds."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from litellm_homelab.quotas.windows import Instant

PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])", re.ASCII)
WHOLE: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[dhms]))+", re.ASCII)
NUMBER: Final = re.compile(r"\d{1,16}(?:\.\d{1,9})?", re.ASCII)
SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_TEXT: Final = 64
EPOCH_SECONDS, EPOCH_MILLISECONDS = 1e9, 1e12
"""From here on a number is a moment: 2001 in seconds, and in milliseconds (OpenRouter's)."""


def seconds(text: str) -> float | None:
    """The seconds of `2m59.56s`, `120ms`, `1d2h` or a plain number; None for anything else."""
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        return None
    if NUMBER.fullmatch(text):
        return float(text)
    if not WHOLE.fullmatch(text):
        return None
    return sum(float(number) * SECONDS[unit] for number, unit in PART.findall(text))


def moment(text: str, now: Instant) -> Instant | None:
    """The moment of a reset: a duration, seconds from now, an epoch in s or ms, or a date (ISO, HTTP)."""
    found = seconds(text)
    if found is None:
        return _date(text.strip())
    if found >= EPOCH_MILLISECONDS:
        return found / 1000
    return found if found >= EPOCH_SECONDS else now + found


def _date(text: str) -> Instant | None:
    if len(text) > LONGEST_TEXT:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return None


def written(length: float) -> str:
    """A duration as OpenAI writes it in `x-ratelimit-reset-requests`, in whole seconds: `1h0m9s`."""
    whole = max(0, math.ceil(length))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
