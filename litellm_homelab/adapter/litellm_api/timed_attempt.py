"""One attempt that is sent within limits of time, and the answers that take the place of its upstream's."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

import httpx

from litellm_homelab import refusals
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.recording import meter
from litellm_homelab.answers import errors
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.reading import Format
from litellm_homelab.timeouts.rule import Limit, Reached, TimeLimits

FAILED: Final = 400
TIMED_OUT: Final = 408
BAD_ANSWER: Final = 502
BODYS: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that say how a body is sent: what is given back is decoded."""
NOT_REPEATED: Final = {"x-should-retry": "false"}
"""Keeps OpenAI's SDK from sending an attempt again: its default for 408 and 5xx is twice more."""


class Stopped(Exception):
    """A limit ended an attempt."""

    def __init__(self, reached: Reached) -> None:
        super().__init__(reached.limit.value)
        self.reached = reached


class TimedAttempt:
    """Begins when it is made; times are seconds of the monotonic clock, which is the event loop's."""

    __slots__ = ("framing", "group", "limits", "record", "request", "sent_at")

    def __init__(
        self, request: httpx.Request, limits: TimeLimits, group: str, record: RequestContext, framing: Format
    ) -> None:
        self.request = request
        self.limits = limits
        self.group = group
        self.record = record
        self.framing = framing
        self.sent_at = monotonic()

    @property
    def handle(self) -> str:
        """The handle that the client asked for."""
        return self.record.asked or self.record.model or self.group

    def stopped(self, reached: Reached) -> Stopped:
        """Count and note a limit that has ended the attempt."""
        meter().timed_out(self.record.asked, reached.limit.value)
        self.record.timeouts = (*self.record.timeouts, (self.group, reached))
        return Stopped(reached)

    def without_connection(self) -> Stopped:
        """The client below had no connection in time."""
        return self.stopped(Reached(Limit.CONNECT, self.limits.connect or 0.0))

    def timed_out(self, stopped: Stopped) -> httpx.Response:
        """The answer in the place of one that did not come in time."""
        refusal = refusals.upstream_timeout(self.handle, [stopped.reached])
        return self._error(TIMED_OUT, refusal.message, "timeout_error")

    def wrong(self, found: AnswerFault | Mapping[str, Any]) -> httpx.Response:
        """The answer in the place of one that has a fault, or is an error."""
        if isinstance(found, AnswerFault):
            text = refusals.upstream_fault(self.handle, found)
            return self._error(BAD_ANSWER, text, "server_error")
        status = errors.status_of(found, BAD_ANSWER)
        return httpx.Response(status, json=found, headers=NOT_REPEATED, request=self.request)

    def _error(self, status: int, message: str, kind: str) -> httpx.Response:
        error = {"message": message, "type": kind, "param": None, "code": str(status)}
        return httpx.Response(status, json={"error": error}, headers=NOT_REPEATED, request=self.request)

    def given(self, response: httpx.Response, stream: httpx.AsyncByteStream) -> httpx.Response:
        """The upstream's answer with this body, which is decoded."""
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in BODYS]
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=stream,
            request=self.request,
            extensions=response.extensions,
        )


async def closed(response: httpx.Response) -> None:
    """Let go of an answer's connection, whatever happens meanwhile."""
    with contextlib.suppress(Exception):
        await response.aclose()
