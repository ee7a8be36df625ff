"""Fault switches: what a backend does instead of answering, and for how many requests."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

ABOUT: Final[Mapping[str, str]] = {
    "down": "refuses connections",
    "black-hole": "answers no SYN, as a machine that is off; on Linux",
    "asleep": "refuses connections until POST /backends/NAME/wake, and `seconds` longer (10)",
    "silent": "takes the request and never answers",
    "slow": "answers after `seconds` (5)",
    "loading": "loads its model for `seconds` (5) from the first request on; all wait, and then it works",
    "comments": "streams comments and no content",
    "stall": "streams a little, and then nothing",
    "stall-comments": "streams a little, and then comments",
    "drop": "breaks the connection in mid-answer",
    "swapped": "is there, and has another model than the configured ones",
}
"""The kinds that are no HTTP status, and what a backend does."""
KINDS: Final = tuple(ABOUT)
UNREACHABLE: Final = ("down", "black-hole", "asleep")
"""Those in which no request arrives."""
ENDLESS: Final = (*UNREACHABLE, "loading", "swapped")
"""Those that are no matter of single requests."""
VALID: Final = f"{', '.join(KINDS)}, or a status from 400 to 599"
DEFAULT_SLOW_SECONDS: Final = 5.0
DEFAULT_WAKE_SECONDS: Final = 10.0
DEFAULT_RETRY_AFTER: Final = 1.0
MAX_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One switched fault.

    ``kind`` is one of ``ABOUT``, or an HTTP status as text; 429 carries ``seconds`` as retry-after.
    ``times`` limits it to that number of requests.
    """

    kind: str
    seconds: float | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS and self.status is None:
            raise ValueError(f"fault: unknown fault {self.kind!r} (valid: {VALID})")
        if self.seconds is not None and not 0 <= self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds: got {self.seconds} (valid: 0 to {MAX_SECONDS:g})")
        if self.times is not None and (self.times < 1 or self.kind in ENDLESS):
            raise ValueError(
                f"times: got {self.times} with {self.kind!r} (valid: 1 or more, and not with"
                f" {', '.join(ENDLESS)}: no requests are counted there)"
            )

    @property
    def status(self) -> int | None:
        """The HTTP status of a status fault, None for the other kinds."""
        valid = len(self.kind) == 3 and self.kind.isascii() and self.kind.isdigit() and self.kind[0] in "45"
        return int(self.kind) if valid else None

    @classmethod
    def parse(cls, raw: object) -> Fault:
        """Read ``{"fault": "429", "seconds": 1.5, "times": 3}``; a ValueError says what is wrong."""
        if not isinstance(raw, dict) or "fault" not in raw:
            raise ValueError(f'body: expected an object such as {{"fault": "429"}} (valid faults: {VALID})')
        unknown = sorted(set(raw) - {"fault", "seconds", "times"})
        if unknown:
            raise ValueError(f"{unknown[0]}: unknown field (valid: fault, seconds, times)")
        seconds, times = raw.get("seconds"), raw.get("times")
        if not _is(seconds, (int, float)) or not _is(times, int):
            raise ValueError("seconds must be a number and times a whole number")
        return cls(str(raw["fault"]), seconds, times)

    def as_dict(self) -> dict[str, Any]:
        """The fault as ``parse`` reads it."""
        return {"fault": self.kind, "seconds": self.seconds, "times": self.times}


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    return value is None or (isinstance(value, kind) and not isinstance(value, bool))


class FaultSwitch:
    """The fault of one backend; every request asks it once.

    ``current`` is the fault that the next request will meet, with the ``times`` that are left.
    """

    def __init__(self) -> None:
        self.current: Fault | None = None
        self._loading: tuple[Fault, float] | None = None
        """The fault whose model is being loaded, and when it will have been."""

    def take(self) -> Fault | None:
        """The fault for this request; counts it down where ``times`` was given."""
        fault = self.current
        if fault and fault.times is not None:
            self.current = replace(fault, times=fault.times - 1) if fault.times > 1 else None
        return fault

    async def load(self, fault: Fault) -> None:
        """Wait until the model is loaded, which the first request begins; then the fault is over."""
        if self._loading is None or self._loading[0] is not fault:
            seconds = DEFAULT_SLOW_SECONDS if fault.seconds is None else fault.seconds
            self._loading = fault, time.monotonic() + seconds
        await asyncio.sleep(max(0.0, self._loading[1] - time.monotonic()))
        if self.current is fault:
            self.current = None


_TYPES: Final = {400: "invalid_request_error", 404: "not_found_error", 429: "rate_limit_error"}


def status_answer(fault: Fault, backend: str, model: str, address: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and JSON body of a status fault.

    The text names the model and the upstream address on purpose, so that a gateway that passes upstream
    errors on leaks something a test can find.  OptiLLM's errors are a bare string (seen in OptiLLM 0.4.0).
    """
    status = fault.status or 500
    message = f"[demo {backend}] fault {status}: model `{model}` at {address} refused this request"
    error: object = {
        "message": message,
        "type": _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "param": None,
        "code": "rate_limit_exceeded" if status == 429 else str(status),
    }
    headers = {"content-type": "application/json"}
    if status == 429:
        seconds = DEFAULT_RETRY_AFTER if fault.seconds is None else fault.seconds
        headers["retry-after"] = str(math.ceil(seconds))
        headers["retry-after-ms"] = str(round(seconds * 1000))
    return status, headers, json.dumps({"error": message if backend == "optillm" else error}).encode()
