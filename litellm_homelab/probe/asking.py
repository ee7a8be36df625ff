"""One request to a server and what came of it: bounded in time and size, without redirects or proxies."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from litellm_homelab import __version__
from litellm_homelab.config.wording import hide_keys, one_line
from litellm_homelab.probe.target import ProbeTarget

CONNECT_SECONDS: Final = 5.0
LONGEST: Final = 512 * 1024
"""Bytes of an answer: one of 400 tokens with their alternatives has some 100 kB."""
WRONG_KEY: Final = "homelab-probe-not-a-key"
"""What is sent to see whether keys are looked at."""
REDIRECTS: Final = range(300, 400)


class BudgetSpent(Exception):
    """No call or no time is left; what was found until then counts."""


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """What came back: a status with a body, or a problem in words."""

    status: int = 0
    """0: none came."""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    """Why there is no whole answer: too slow, too long, no connection, a redirect."""
    is_absent: bool = False
    """There was no connection."""


@dataclass
class ProbeBudget:
    """How much may be spent, and how much was."""

    calls: int
    seconds: float
    call_seconds: float
    """How long one answer may take."""
    spent: int = 0
    begun: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.begun)

    def spend(self) -> float:
        """
        Take one call, and say how many seconds it may take.

        Raises:
            BudgetSpent: there is none left.

        """
        if self.spent >= self.calls:
            raise BudgetSpent(f"{self.calls} calls are spent")
        if self.left() <= 0:
            raise BudgetSpent(f"{self.seconds:g} s are over")
        self.spent += 1
        return min(self.left(), self.call_seconds)


class Asker:
    """Asks one server; counts its calls."""

    def __init__(
        self, where: ProbeTarget, budget: ProbeBudget, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.where = where
        self.budget = budget
        self._client = httpx.Client(transport=transport, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def get(self, path: str) -> ProbeReply:
        """GET a path below the server's root."""
        return self._ask("GET", path, None, self.where.key)

    def post(self, path: str, body: Mapping[str, Any] | str, key: str | None = None) -> ProbeReply:
        """POST a document, or a text as it is; with another key than its own where one is given."""
        content = body if isinstance(body, str) else json.dumps(body)
        return self._ask("POST", path, content, self.where.key if key is None else key)

    def _ask(self, method: str, path: str, content: str | None, key: str) -> ProbeReply:
        seconds = self.budget.spend()
        headers = {"User-Agent": f"litellm-homelab/{__version__}", "Accept-Encoding": "identity"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if content is not None:
            headers["Content-Type"] = "application/json"
        limits = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
        request = self._client.build_request(
            method, self.where.root + path, content=content, headers=headers, timeout=limits
        )
        try:
            answer = self._client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _failed(error, seconds, is_answered=False)
        try:
            return self._read(answer, time.monotonic() + seconds, seconds)
        except httpx.HTTPError as error:
            return _failed(error, seconds, is_answered=True)
        finally:
            answer.close()

    def _read(self, answer: httpx.Response, deadline: float, seconds: float) -> ProbeReply:
        if answer.status_code in REDIRECTS:
            to = _elsewhere(answer.headers.get("location", ""))
            return ProbeReply(answer.status_code, problem=f"it redirects{to}; that is not followed")
        body = b""
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > LONGEST:
                return ProbeReply(answer.status_code, problem=f"its answer is longer than {LONGEST} bytes")
            if time.monotonic() > deadline:
                return ProbeReply(
                    answer.status_code, problem=f"its answer does not end within {seconds:.0f} s"
                )
        text = body.decode("utf-8", "replace")
        if self.where.key:  # a server may repeat it in an error
            text = text.replace(self.where.key, "(hidden)")
        return ProbeReply(answer.status_code, text, dict(answer.headers))


def _failed(error: Exception, seconds: float, *, is_answered: bool) -> ProbeReply:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.InvalidURL):
        return ProbeReply(problem=f"no connection ({_why(error)})", is_absent=True)
    if isinstance(error, httpx.TimeoutException):
        what = "its answer does not end" if is_answered else "nothing came"
        return ProbeReply(problem=f"{what} within {seconds:.0f} s")
    return ProbeReply(problem=f"it breaks off ({_why(error)})")


def _why(error: Exception) -> str:
    return one_line(hide_keys(str(error)))[:100] or type(error).__name__


def _elsewhere(location: str) -> str:
    """Where a redirect leads, without path and query."""
    try:
        parts = urlsplit(location)
        host = f"{parts.scheme}://{parts.hostname}:{parts.port}" if parts.port else f"//{parts.hostname}"
    except ValueError:
        return ""
    return f" to {one_line(hide_keys(host))[:100]}" if parts.hostname else " to another path"
