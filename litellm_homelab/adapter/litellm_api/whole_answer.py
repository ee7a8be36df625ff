"""An attempt that is not streamed: its answer is read within one limit, judged, and given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import httpx

from litellm_homelab.adapter.litellm_api.attempt_clock import AttemptClock
from litellm_homelab.adapter.litellm_api.limited_stream import Rest
from litellm_homelab.adapter.litellm_api.timed_attempt import FAILED, TimedAttempt, closed
from litellm_homelab.adapter.litellm_api.transport import CLOSED, AsyncSend, follow
from litellm_homelab.timeouts import answer
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.rule import Limit, Progress, Reached, deadline

JSON: Final = "application/json"
PASSED_ON: Final = ("text/event-stream", "audio/", "image/", "video/", "application/octet-stream")
"""Kinds of an answer that is passed on as it arrives: speech, pictures, events that were not asked for."""


async def send(out: AsyncSend, transport: object, attempt: TimedAttempt) -> httpx.Response:
    """
    Send the attempt; what ends it, or is wrong with its answer, takes the answer's place.

    The answer has been read when it is given back, so that what waits for its end (`CLOSED`) is called here.
    """
    closed: Callable[[], None] | None = attempt.request.extensions.pop(CLOSED, None)
    try:
        response = await _answer(out, transport, attempt)
        if closed is not None and isinstance(response.stream, Rest):
            follow(response, closed)
            closed = None
        return response
    finally:
        if closed is not None:
            closed()


async def _answer(out: AsyncSend, transport: object, attempt: TimedAttempt) -> httpx.Response:
    total = attempt.limits.total
    scope = asyncio.timeout_at(None if total is None else attempt.sent_at + total)
    body: bytes | AnswerFault | None = None
    try:
        async with scope:
            response = await out(transport, attempt.request)
            kind: str = response.headers.get("content-type", JSON)
            if response.status_code < FAILED and (kind.startswith(JSON) or not _is_passed_on(kind)):
                body = await _read(response)
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        if attempt.limits.connect is None:
            raise
        return attempt.timed_out(attempt.without_connection())
    except TimeoutError:
        if total is None or not scope.expired():
            raise
        return attempt.timed_out(attempt.stopped(Reached(Limit.TOTAL, total)))
    if body is None:
        return await _not_judged(attempt, response)
    if isinstance(body, AnswerFault):
        return attempt.wrong(body)
    wrong = answer.whole(attempt.framing, body)
    return attempt.wrong(wrong) if wrong is not None else _as_it_is(attempt, response, body)


async def _read(response: httpx.Response) -> bytes | AnswerFault:
    try:
        return await response.aread()
    except httpx.TransportError:
        await closed(response)
        return AnswerFault.BROKEN
    except BaseException:  # a limit, or the client has left
        await closed(response)
        raise


async def _not_judged(attempt: TimedAttempt, response: httpx.Response) -> httpx.Response:
    if response.status_code >= FAILED:
        return await error(attempt, response)
    return attempt.given(response, Rest.of_bytes(AttemptClock(attempt), response))


async def error(attempt: TimedAttempt, response: httpx.Response) -> httpx.Response:
    """An upstream's error, with as much of its body as comes in time."""
    due = deadline(attempt.limits, Progress(attempt.sent_at), attempt.sent_at)
    scope = asyncio.timeout_at(due.at if due is not None else None)
    body = bytearray()
    try:
        async with scope:
            async for chunk in response.aiter_bytes():
                body += chunk
    except httpx.TransportError:
        pass
    except TimeoutError:
        if due is None or not scope.expired():
            raise
        attempt.stopped(Reached(due.limit, due.seconds))
    finally:
        await closed(response)
    return attempt.given(response, httpx.ByteStream(bytes(body)))


def _as_it_is(attempt: TimedAttempt, response: httpx.Response, body: bytes) -> httpx.Response:
    """
    The answer that has been read, to be read once more.

    Where its body came decoded, or in httpx2's types, it is another one (`TimedAttempt.given`).
    """
    stream = httpx.ByteStream(body)
    if not isinstance(response, httpx.Response) or "content-encoding" in response.headers:
        return attempt.given(response, stream)
    response.stream = stream
    response.is_stream_consumed = response.is_closed = False
    return response


def _is_passed_on(kind: str) -> bool:
    return kind.strip().lower().startswith(PASSED_ON)
