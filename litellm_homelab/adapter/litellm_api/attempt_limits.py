"""Below LiteLLM's clients: applies the limits of `homelab.timeouts` to an attempt, and holds its answer back.

No hook of LiteLLM's can do this. It invents the end of a stream that breaks off, and once a stream has been
given back, its failure is not the attempt's; so an answer is given back when its first content is
here (measured on LiteLLM 1.106.2). What fails before becomes an HTTP answer of 408 or 502: neither LiteLLM's
clients nor the SDKs below them repeat it, and the router goes on to its fallbacks.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any

import httpx

from litellm_homelab.adapter import context
from litellm_homelab.adapter.litellm_api import purposes, whole_answer
from litellm_homelab.adapter.litellm_api.attempt_clock import AttemptClock
from litellm_homelab.adapter.litellm_api.limited_stream import Rest, readings
from litellm_homelab.adapter.litellm_api.timed_attempt import FAILED, Stopped, TimedAttempt, closed
from litellm_homelab.adapter.litellm_api.transport import AsyncSend
from litellm_homelab.timeouts import answer, reading
from litellm_homelab.timeouts.answer import Heard
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.reading import Format, Reader, WrongAnswer
from litellm_homelab.timeouts.rule import TimeLimits


async def send(out: AsyncSend, transport: object, request: httpx.Request) -> httpx.Response:
    """Send a request of the attempt under way within the limits of its group, if it has any."""
    chosen, record = context.chosen(), context.current()
    timed = chosen.timed if chosen is not None else None
    if timed is None or record is None or request.method != "POST" or _is_service(transport):
        return await out(transport, request)
    url = request.url
    path = url.path
    streamed = reading.is_streamed(path, request.content)
    framing = reading.format_of(path, url.query) if timed.judged else Format.OPAQUE
    limits = timed.limits if streamed else timed.whole
    before: Mapping[str, Any] = request.extensions.get("timeout") or {}
    request.extensions["timeout"] = {**before, **_bounds(limits)}
    attempt = TimedAttempt(request, limits, timed.group, record, framing)
    if streamed:
        return await _Streamed(attempt).send(out, transport)
    return await whole_answer.send(out, transport, attempt)


def _is_service(transport: object) -> bool:
    return purposes.purpose(transport) not in {None, purposes.IMAGES}


@lru_cache(maxsize=1024)
def _bounds(limits: TimeLimits) -> Mapping[str, float | None]:
    """
    Timeouts of the client below: our limit for the connection, and no other where ours bound the rest.

    `pool` is what LiteLLM's aiohttp transport gives aiohttp as the time for the whole of connecting, name
    resolution and all addresses included; `connect` is per address there (1.106.2).
    """
    connect = {"connect": limits.connect, "pool": limits.connect} if limits.connect is not None else {}
    bounded = limits.total is not None or (limits.first_token is not None and limits.idle is not None)
    rest = {"read": None, "write": None} if bounded else {}
    return {**connect, **rest}


class _Streamed:
    """A streamed attempt and its answer, given back once it has content."""

    def __init__(self, attempt: TimedAttempt) -> None:
        self._attempt = attempt
        self._clock = AttemptClock(attempt)

    async def send(self, out: AsyncSend, transport: object) -> httpx.Response:
        """Send it; what is wrong with it before its first content is a failed attempt."""
        attempt = self._attempt
        try:
            response = await self._clock.wait(out(transport, attempt.request))
            if response.status_code >= FAILED:
                return await whole_answer.error(attempt, response)
            return await self._stream(response)
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            if attempt.limits.connect is None:
                raise
            return attempt.timed_out(attempt.without_connection())
        except Stopped as stopped:
            return attempt.timed_out(stopped)

    async def _stream(self, response: httpx.Response) -> httpx.Response:
        framing = self._attempt.framing
        reader, heard = Reader(framing), Heard(framing)
        chunks = readings(self._clock, response)
        first: list[bytes] = []
        try:
            failed = await self._begun(chunks, reader, heard, first)
        except WrongAnswer as wrong:
            return await self._no_stream(response, reader, wrong, chunks)
        except (httpx.TransportError, httpx.StreamError):
            failed = AnswerFault.BROKEN
        except BaseException:
            await closed(response)
            raise
        if failed is not None:
            await closed(response)
            return self._attempt.wrong(failed)
        rest = Rest(self._clock, response, chunks, reader, heard, b"".join(first))
        return self._attempt.given(response, rest)

    async def _begun(
        self, chunks: AsyncIterator[bytes], reader: Reader, heard: Heard, first: list[bytes]
    ) -> AnswerFault | Mapping[str, Any] | None:
        """Read up to the first content; what is wrong where there is none."""
        async for chunk in chunks:
            for unit in reader.feed(chunk):
                if unit.said.error is not None and not heard.has_begun:
                    return unit.said.error
                heard.note(unit.said)
                if unit.said.error is not None:  # in one chunk with the first content
                    break
                first.append(unit.raw)
            if heard.has_begun:
                self._clock.content()
                return None
        for unit in reader.end():
            heard.note(unit.said)
            first.append(unit.raw)
        return heard.at_the_end() if heard.error is None or heard.has_begun else heard.error

    async def _no_stream(
        self, response: httpx.Response, reader: Reader, wrong: WrongAnswer, chunks: AsyncIterator[bytes]
    ) -> httpx.Response:
        """A page or JSON in the place of a stream; of JSON that is an error the error."""
        found: AnswerFault | Mapping[str, Any] = wrong.fault
        if wrong.fault is AnswerFault.NOT_A_STREAM:
            parts = [reader.held]
            with contextlib.suppress(httpx.TransportError, Stopped):
                parts += [chunk async for chunk in chunks]
            judged = answer.whole(Format.LINES, b"".join(parts))
            found = judged if isinstance(judged, Mapping) else found
        await closed(response)
        return self._attempt.wrong(found)
