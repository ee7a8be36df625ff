"""Comments for a client whose stream waits: proxies and clients give up a connection without bytes."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import Iterable
from typing import Final

from starlette.types import Message, Send

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.middleware import final_refusal
from litellm_homelab.adapter.middleware.asgi import is_event_stream
from litellm_homelab.adapter.middleware.response_recorder import Watch
from litellm_homelab.answers import late_answers
from litellm_homelab.answers.routes import answers_of
from litellm_homelab.config.sections import BackendSection
from litellm_homelab.formats import header_pairs

SECONDS: Final = 15.0
"""
Seconds of waiting before the first comment, and between two.

Until the first one, status and headers are the real ones (the contract's section on backends).
"""
COMMENT: Final = b": waiting\n\n"
"""Server-sent events begin a line that clients skip with a colon (WHATWG HTML)."""
GEMINI: Final = ":streamGenerateContent"
ROUTES: Final = ("/completions", "/responses", "/messages")
"""Ends of routes whose streams and error events are known: chat, text, responses, messages."""
START: Final = "http.response.start"
BODY: Final = "http.response.body"
HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
FAILED: Final = 400


def seconds(backends: Iterable[BackendSection]) -> float | None:
    """How often a stream that waits gets a comment; None where no backend lets a request wait."""
    waits = (one.slots is not None or one.wake is not None for one in backends)
    return SECONDS if any(waits) else None


class Comments:
    """
    Sends a comment for every `seconds` that a request waits for a backend, if it asked for a stream.

    `QueuePolicy`, or whoever else lets a request wait, says when a wait begins and ends. The first wait puts
    this between `Watch` and the server: a request that does not wait never passes here. The first comment
    starts a 200. A stream that comes later follows as it is, an error as the error event of its route.
    """

    __slots__ = ("_begun", "_late", "_lock", "_over", "_record", "_rest", "_seconds", "_send", "_sending",
                 "_since", "_timer", "_waits", "_watch")  # fmt: skip

    def __init__(self, record: RequestContext, watch: Watch, seconds: float) -> None:
        self._record, self._watch, self._seconds = record, watch, seconds
        self._send: Send | None = None
        self._waits = 0

    def begins(self) -> None:
        """Note that a wait begins; several may be under way."""
        self._waits += 1
        if self._send is None:
            self._send = self._watch.divert(self)
            self._rest, self._lock = self._seconds, asyncio.Lock()
            self._begun = self._over = False
            self._sending: asyncio.Task[None] | None = None
            self._late: _Late | None = None
        if self._waits == 1:
            loop = asyncio.get_running_loop()
            self._since = loop.time()
            self._timer = loop.call_later(self._rest, self._due)

    def ends(self) -> None:
        """Note that a wait has ended; time that is left of `seconds` counts for the next one."""
        self._waits -= 1
        if self._waits == 0:
            self._timer.cancel()
            waited = asyncio.get_running_loop().time() - self._since
            self._rest = max(0.0, self._rest - waited)

    async def __call__(self, message: Message) -> None:
        """Pass on a message of the answer, or what takes its place after a comment."""
        send = self._send
        if send is None:
            raise RuntimeError("no wait has begun")
        if self._sending is None:
            self._over = True
            await send(message)
            return
        async with self._lock:  # a comment may be on its way
            self._over = True
            if self._begun:
                await self._follow(send, message)
            else:
                await send(message)

    def _due(self) -> None:
        if self._over or self._watch.status is not None or not asked_for_a_stream(self._record):
            return
        loop = asyncio.get_running_loop()
        self._since, self._rest = loop.time(), self._seconds
        self._timer = loop.call_later(self._seconds, self._due)
        if self._sending is None or self._sending.done():
            self._sending = loop.create_task(self._comment())

    async def _comment(self) -> None:
        """Send one; never cancelled in between, so that what has been sent is known."""
        async with self._lock:
            if self._over or self._send is None:
                return
            with contextlib.suppress(OSError):  # the client has left; the wait's end says so
                if not self._begun:
                    await self._send({"type": START, "status": 200, "headers": _headers(self._record)})
                    self._begun = True
                await self._send({"type": BODY, "body": COMMENT, "more_body": True})

    async def _follow(self, send: Send, message: Message) -> None:
        """What follows the comments: the start is out already."""
        if message["type"] == START:
            if message["status"] >= FAILED or not is_event_stream(message):
                self._late = _Late(self._record, message)
        elif self._late is None:
            await send(message)
        elif (events := self._late.events(message)) is not None:
            await send({"type": BODY, "body": events})


class _Late:
    """An answer in one piece, held until it can be said as events."""

    def __init__(self, record: RequestContext, start: Message) -> None:
        found = answers_of(_path(record))
        self._style = found.style if found else "openai"
        self._status: int = start["status"]
        self._packed = b"gzip" in header_pairs.values(start.get("headers", ()), b"content-encoding")
        self._held = bytearray()

    def events(self, message: Message) -> bytes | None:
        """Its events, once it is complete."""
        self._held += message.get("body", b"")
        if message.get("more_body", False):
            return None
        try:
            body = gzip.decompress(self._held) if self._packed else bytes(self._held)
        except (OSError, EOFError) as error:
            broken("answers", error)
            body = b""
        return late_answers.events(self._style, self._status, body)


def asked_for_a_stream(record: RequestContext) -> bool:
    """Whether the answer will be events in a format that is known here."""
    path = _path(record)
    if path.endswith(GEMINI):
        return True
    return path.endswith(ROUTES) and record.sent is not None and record.sent.get("stream") is True


def _path(record: RequestContext) -> str:
    return record.route.path if record.route else record.path


def _headers(record: RequestContext) -> list[tuple[bytes, bytes]]:
    """What is known of an answer before there is one; how long it waited is not."""
    known = final_refusal.account(record)
    known.pop(final_refusal.QUEUED, None)
    return [*HEADERS, *((name.encode(), value.encode()) for name, value in known.items())]
