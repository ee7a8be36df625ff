"""Below LiteLLM's clients: applies the limits of `homelab.timeouts` to an attempt, and holds its answer back.

No hook of LiteLLM's can do this. It invents the end of a stream that breaks off, and once a stream has been
given back, its failure is not the attempt's; so an answer is given back when its first content is
here (measured on LiteLLM 1.106.2). What fails before becomes an HTTP answer of 408 or 502: neither LiteLLM's
clients nor the SDKs below them repeat it, and the router goes on to its fallbacks.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx

from litellm_homelab import refusals
from litellm_homelab.adapter import context
from litellm_homelab.adapter.litellm_api import purposes
from litellm_homelab.adapter.litellm_api.attempt_clock import AttemptClock, Stopped
from litellm_homelab.adapter.litellm_api.limited_stream import Rest, readings
from litellm_homelab.adapter.litellm_api.transport import AsyncSend
from litellm_homelab.answers import errors
from litellm_homelab.timeouts import answer, reading
from litellm_homelab.timeouts.answer import Heard
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.reading import Format, Reader, WrongAnswer

FAILED: Final = 400
TIMED_OUT: Final = 408
BAD_ANSWER: Final = 502
BODYS: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that say how a body is sent: what is given back is decoded."""
NOT_REPEATED: Final = {"x-should-retry": "false"}
"""Keeps OpenAI's SDK from sending an attempt again: its default for 408 and 5xx is twice more."""
EVENT_STREAM: Final = "text/event-stream"


async def send(out: AsyncSend, transport: object, request: httpx.Request) -> httpx.Response:
    """Send a request of the attempt under way within the limits of its group, if it has any."""
    chosen, record = context.chosen(), context.current()
    timed = chosen.timed if chosen is not None else None
    if timed is None or record is None or request.method != "POST" or _is_service(transport):
        return await out(transport, request)
    path, body = request.url.path, request.content
    streamed = reading.is_streamed(path, body)
    framing = reading.format_of(path, request.url.query.decode("ascii", "replace"))
    limits = timed.limits if streamed else timed.limits.whole
    clock = AttemptClock(limits, timed.group, record)
    _set_connect(request, clock)
    one = _Attempt(clock, request, framing if timed.judged else Format.OPAQUE)
    try:
        response = await clock.wait(out(transport, request))
        if streamed and response.status_code < FAILED:
            return await one.stream(response)
        return await one.whole(response)
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        if limits.connect is None:
            raise
        return one.timed_out(clock.connect())
    except Stopped as stopped:
        return one.timed_out(stopped)


def _is_service(transport: object) -> bool:
    return purposes.purpose(transport) not in {None, purposes.IMAGES}


def _set_connect(request: httpx.Request, clock: AttemptClock) -> None:
    """
    Give the client below our limit for the connection, and no other where ours bound the rest.

    `pool` is what LiteLLM's aiohttp transport gives aiohttp as the time for the whole of connecting, name
    resolution and all addresses included; `connect` is per address there (1.106.2).
    """
    before: Mapping[str, Any] = request.extensions.get("timeout") or {}
    limits = clock.limits
    connect = {"connect": limits.connect, "pool": limits.connect} if limits.connect is not None else {}
    bounded = limits.total is not None or (limits.first_token is not None and limits.idle is not None)
    rest = {"read": None, "write": None} if bounded else {}
    request.extensions = {**request.extensions, "timeout": {**before, **connect, **rest}}


class _Attempt:
    """One request and its answer."""

    def __init__(self, clock: AttemptClock, request: httpx.Request, framing: Format) -> None:
        self._clock = clock
        self._request = request
        self._framing = framing

    # --- answers in one piece -------------------------------------------------------------------

    async def whole(self, response: httpx.Response) -> httpx.Response:
        """An answer in one piece, or an error: read within the limits, judged, and given back."""
        if response.status_code < FAILED and _is_long(response):
            return self._given(response, Rest.of_bytes(self._clock, response))
        try:
            body = await self._read(response)
        except httpx.TransportError:
            return self._wrong(AnswerFault.BROKEN)
        if response.status_code < FAILED:
            wrong = answer.whole(self._framing, body)
            if wrong is not None:
                return self._wrong(wrong)
        return self._given(response, httpx.ByteStream(body))

    async def _read(self, response: httpx.Response) -> bytes:
        """
        The body of an answer; of an error's, as much as comes in time.

        Raises:
            Stopped, httpx.TransportError: it is not complete. An error's body may be.

        """
        parts: list[bytes] = []
        chunks = response.aiter_bytes()
        try:
            while (chunk := await self._clock.wait(anext(chunks, None))) is not None:
                parts.append(chunk)
        except (Stopped, httpx.TransportError):
            if response.status_code < FAILED:
                raise
        finally:
            await _closed(response)
        return b"".join(parts)

    # --- streams --------------------------------------------------------------------------------

    async def stream(self, response: httpx.Response) -> httpx.Response:
        """A stream, given back once it has content; what is wrong with it before is a failed attempt."""
        reader, heard = Reader(self._framing), Heard(self._framing)
        chunks = readings(self._clock, response)
        first: list[bytes] = []
        try:
            failed = await self._begun(chunks, reader, heard, first)
        except WrongAnswer as wrong:
            return await self._no_stream(response, reader, wrong, chunks)
        except (httpx.TransportError, httpx.StreamError):
            failed = AnswerFault.BROKEN
        except BaseException:
            await _closed(response)
            raise
        if failed is not None:
            await _closed(response)
            return self._wrong(failed)
        return self._given(response, Rest(self._clock, response, chunks, reader, heard, b"".join(first)))

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
        await _closed(response)
        return self._wrong(found)

    # --- what is given back -----------------------------------------------------------------------

    def timed_out(self, stopped: Stopped) -> httpx.Response:
        """The answer in the place of one that did not come in time."""
        refusal = refusals.upstream_timeout(self._clock.handle, [stopped.reached])
        return self._error(TIMED_OUT, refusal.message, "timeout_error")

    def _wrong(self, found: AnswerFault | Mapping[str, Any]) -> httpx.Response:
        if isinstance(found, AnswerFault):
            text = refusals.upstream_fault(self._clock.handle, found)
            return self._error(BAD_ANSWER, text, "server_error")
        status = errors.status_of(found, BAD_ANSWER)
        return httpx.Response(status, json=found, headers=NOT_REPEATED, request=self._request)

    def _error(self, status: int, message: str, kind: str) -> httpx.Response:
        error = {"message": message, "type": kind, "param": None, "code": str(status)}
        return httpx.Response(status, json={"error": error}, headers=NOT_REPEATED, request=self._request)

    def _given(self, response: httpx.Response, stream: httpx.AsyncByteStream) -> httpx.Response:
        headers = [(name, value) for name, value in response.headers.multi_items() if name not in BODYS]
        return httpx.Response(
            response.status_code,
            headers=headers,
            stream=stream,
            request=self._request,
            extensions=response.extensions,
        )


def _is_long(response: httpx.Response) -> bool:
    """Whether an answer is passed on as it arrives: speech, pictures, events that were not asked for."""
    kind: str = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == EVENT_STREAM or kind.startswith(("audio/", "image/", "video/", "application/octet-stream"))


async def _closed(response: httpx.Response) -> None:
    with contextlib.suppress(Exception):
        await response.aclose()
