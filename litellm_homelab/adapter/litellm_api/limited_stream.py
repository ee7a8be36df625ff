"""The rest of a stream whose first content is here: a failure ends it with an error that nothing follows."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final, Self

import httpx
import litellm

from litellm_homelab import refusals
from litellm_homelab.adapter.context import Broken
from litellm_homelab.adapter.litellm_api.attempt_clock import AttemptClock
from litellm_homelab.adapter.litellm_api.timed_attempt import Stopped
from litellm_homelab.answers import errors
from litellm_homelab.timeouts.answer import Heard
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.reading import Format, Piece, Reader, WrongAnswer

BAD_ANSWER: Final = 502
TEXTS: Final = ("response", "error", "message", "detail")
"""Where an error event has its text, the outermost first."""
DEEPEST: Final = 4


class StreamEnded(litellm.Timeout):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """
    Ends a stream of which the client has content.

    A timeout of LiteLLM's, status 408: for that alone, among the errors of an upstream, LiteLLM calls no
    second model to continue the answer on any route (measured on 1.106.2).
    """

    def __init__(self, message: str) -> None:
        super().__init__(message=message, model="", llm_provider="")


async def readings(clock: AttemptClock, response: httpx.Response) -> AsyncIterator[bytes]:
    """
    The decoded chunks of an answer, each awaited within the limits.

    Raises:
        Stopped: a limit was reached.

    """
    chunks = response.aiter_bytes()
    while (chunk := await clock.wait(anext(chunks, None))) is not None:
        yield chunk


class Rest(httpx.AsyncByteStream):
    """What was read of a stream up to its first content, and then the rest of it."""

    def __init__(
        self,
        clock: AttemptClock,
        response: httpx.Response,
        chunks: AsyncIterator[bytes],
        reader: Reader,
        heard: Heard,
        first: bytes,
    ) -> None:
        self._clock = clock
        self._response = response
        self._chunks = chunks
        self._reader = reader
        self._heard = heard
        self._first = first

    @classmethod
    def of_bytes(cls, clock: AttemptClock, response: httpx.Response) -> Self:
        """Bytes that are passed on as they arrive, of an answer that is not in events."""
        heard = Heard(Format.OPAQUE)
        heard.content = True
        return cls(clock, response, readings(clock, response), Reader(Format.OPAQUE), heard, b"")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """
        Pass on complete events.

        A failure is raised, unless the upstream has said before that its answer ends here.

        Raises:
            StreamEnded: the answer is not complete.

        """
        try:
            async for raw in self._events():
                yield raw
        except StreamEnded:
            raise
        except Exception as problem:  # noqa: BLE001 - closed: any other error lets a second model go on
            if isinstance(problem, WrongAnswer) or not self._heard.is_finished:
                raise self._ended(problem) from None
        finally:
            await self.aclose()

    async def _events(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        error = self._heard.error  # in one chunk with the first content
        if error is not None:
            raise self._reported(error)
        async for chunk in self._chunks:
            raw, error = self._read(self._reader.feed(chunk))
            if raw:
                yield raw
            if error is not None:
                raise self._reported(error)
        raw, error = self._read(self._reader.end())
        if raw:
            yield raw
        if error is not None:
            raise self._reported(error)
        fault = self._heard.at_the_end()
        if fault is not None:
            raise self._failed(fault)

    async def aclose(self) -> None:
        """Let go of the upstream's connection."""
        with contextlib.suppress(Exception):
            await self._response.aclose()

    def _read(self, units: Iterator[Piece]) -> tuple[bytes, Mapping[str, Any] | None]:
        """The bytes of the units up to an error, and the error."""
        parts: list[bytes] = []
        for unit in units:
            if unit.said.error is not None:
                return b"".join(parts), unit.said.error
            self._heard.note(unit.said)
            if unit.said.content:
                self._clock.content()
            parts.append(unit.raw)
        return b"".join(parts), None

    # --- how it ends --------------------------------------------------------------------------------

    def _ended(self, problem: Exception) -> StreamEnded:
        if isinstance(problem, Stopped):
            refusal = refusals.upstream_timeout(self._clock.attempt.handle, [problem.reached])
            return self._broken(refusal.status, refusal.message, refusal.type)
        return self._failed(problem.fault if isinstance(problem, WrongAnswer) else AnswerFault.BROKEN)

    def _failed(self, fault: AnswerFault) -> StreamEnded:
        return self._broken(BAD_ANSWER, refusals.upstream_fault(self._clock.attempt.handle, fault))

    def _reported(self, error: Mapping[str, Any]) -> StreamEnded:
        """The upstream's own error event; LiteLLM would let another model go on after some of them."""
        text = message(error) or refusals.upstream_fault(self._clock.attempt.handle, AnswerFault.FAILED)
        return self._broken(errors.status_of(error), text)

    def _broken(self, status: int, text: str, kind: str = "server_error") -> StreamEnded:
        self._clock.attempt.record.broken = Broken(status, text, kind)
        return StreamEnded(text)


def message(error: object, depth: int = 0) -> str:
    """The text of an error event in any of the formats; empty where it has none."""
    if isinstance(error, str):
        return error
    if not isinstance(error, Mapping) or depth > DEEPEST:
        return ""
    return next((text for name in TEXTS if (text := message(error.get(name), depth + 1))), "")
