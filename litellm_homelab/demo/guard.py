"""The ASGI layer in front of every backend: reads the body, records it, plays the switched fault."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from litellm_homelab.demo.faults import DEFAULT_SLOW_SECONDS, ENDLESS, Fault, FaultSwitch, status_answer
from litellm_homelab.demo.limits import LimitSwitch
from litellm_homelab.demo.recorder import RecordedRequest, Recorder

MAX_BODY_BYTES: Final = 40 * 1024 * 1024  # above what the gateway lets through by default
MAX_OPTILLM_BODY_BYTES: Final = 8 * 1024 * 1024
CHUNKS_BEFORE_DROP: Final = 3
COMMENT_SECONDS: Final = 1.0
"""Between two comments of a stream that stalls with them."""
COMMENTS: Final = {"text/event-stream": b": demo\n\n", "application/x-ndjson": b"\n"}
"""What a client skips, by the kind of stream: server-sent events, and Ollama's lines."""
STALLS: Final = {"comments": 0, "stall": CHUNKS_BEFORE_DROP, "stall-comments": CHUNKS_BEFORE_DROP}
"""The chunks that a stream has before it stalls."""


class ConnectionDropped(Exception):
    """Raised through the server so that it cuts the connection in the middle of an answer."""


class Guard:
    """Wraps one backend's app.

    A body over 40 MiB is a 413; for OptiLLM over 8 MiB, since a loop through an approach that repeats the
    prompt doubles it at every hop.  OptiLLM goes on after its client has left; the others stop.
    """

    def __init__(
        self,
        app: ASGIApp,
        name: str,
        recorder: Recorder,
        switch: FaultSwitch,
        limit: LimitSwitch | None = None,
    ) -> None:
        self._app = app
        self._name = name
        self._recorder = recorder
        self._switch = switch
        self._limit = limit
        self._keeps_working = name == "optillm"
        self._most = MAX_OPTILLM_BODY_BYTES if name == "optillm" else MAX_BODY_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        exchange = _Exchange(self._name, receive, send)
        content = await exchange.read(self._most)
        request = self._recorder.record(
            self._name,
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            Headers(raw=scope["headers"]),
            content[: self._most],
        )
        exchange.watch(request)
        work = asyncio.ensure_future(
            self._serve(scope, exchange, request, too_long=len(content) > self._most)
        )
        try:
            await (work if self._keeps_working else exchange.until_done_or_gone(work))
        finally:
            exchange.stop()
            work.cancel()

    async def _serve(
        self, scope: Scope, exchange: _Exchange, request: RecordedRequest, *, too_long: bool
    ) -> None:
        fault = Fault("413") if too_long else self._switch.take()
        if fault is not None and fault.kind == "loading" and request.method == "POST":
            await self._switch.load(fault)
        if fault is None or fault.kind in ENDLESS:
            return await self._within_limits(scope, exchange, request)
        if fault.kind == "slow":
            await asyncio.sleep(DEFAULT_SLOW_SECONDS if fault.seconds is None else fault.seconds)
            return await self._app(scope, exchange.replay, exchange.send)
        if fault.kind == "silent":
            await exchange.gone.wait()
            return None
        if fault.kind == "drop":
            return await self._app(scope, exchange.replay, exchange.send_until_drop)
        if fault.kind in STALLS:
            exchange.stalls(STALLS[fault.kind], with_comments="comments" in fault.kind)
            return await self._app(scope, exchange.replay, exchange.send_until_stall)
        return await exchange.answer(*status_answer(fault, self._name, _model(request), _address(scope)))

    async def _within_limits(self, scope: Scope, exchange: _Exchange, request: RecordedRequest) -> None:
        if self._limit is not None and request.method == "POST":
            exchange.headers, instead = self._limit.take(_model(request))
            if instead is not None:
                return await exchange.answer(*instead)
        return await self._app(scope, exchange.replay, exchange.send)


def _model(request: RecordedRequest) -> str:
    body = request.json
    return str(body.get("model", "")) if isinstance(body, dict) else ""


def _address(scope: Scope) -> str:
    host, port = scope["server"]
    return f"http://{host}:{port}{scope['path']}"


class _Exchange:
    """One request's two ends, with the body read ahead so that a leaving client is noticed immediately."""

    def __init__(self, name: str, receive: Receive, send: Send) -> None:
        self._name = name
        self._receive = receive
        self._send = send
        self._content = b""
        self._replayed = False
        self._complete = False
        self._chunks = 0
        self._stalls_at = 0
        self._comment: bytes | None = None
        self._with_comments = False
        self._watcher: asyncio.Future[None] | None = None
        self.gone = asyncio.Event()
        self.headers: dict[str, str] = {}
        """Further headers of the answer."""

    async def read(self, most: int) -> bytes:
        """The whole body, at most one network read longer than ``most``."""
        parts, size, more = [], 0, True
        while more and size <= most:
            message = await self._receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
        self._content = b"".join(parts)
        return self._content

    def watch(self, request: RecordedRequest) -> None:
        """Notice from now on when the client leaves before the answer is complete."""
        self._watcher = asyncio.ensure_future(self._watch(request))

    async def _watch(self, request: RecordedRequest) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        request.disconnected = not self._complete
        self.gone.set()

    async def until_done_or_gone(self, work: asyncio.Future[None]) -> None:
        """Wait for the answer, or for the client to leave first."""
        gone = asyncio.ensure_future(self.gone.wait())
        waited: list[asyncio.Future[Any]] = [work, gone]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if work.done():
            work.result()

    def stop(self) -> None:
        """Stop watching the client."""
        if self._watcher:
            self._watcher.cancel()

    async def replay(self) -> Message:
        """The ``receive`` that the app gets: the body once, then a disconnect when there is one."""
        if not self._replayed:
            self._replayed = True
            return {"type": "http.request", "body": self._content, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The ``send`` that the app gets: labels the answer as a demo."""
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update({**self.headers, "x-demo-backend": self._name})
        elif not message.get("more_body", False):
            self._complete = True
        await self._send(message)

    async def send_until_drop(self, message: Message) -> None:
        """Let some chunks of a stream, or half of a plain body, through; then cut the connection."""
        if message["type"] == "http.response.start":
            return await self.send(message)
        self._chunks += 1
        body = message.get("body", b"")
        whole = self._chunks == 1 and not message.get("more_body", False)
        await self.send({**message, "body": body[: len(body) // 2] if whole else body, "more_body": True})
        if whole or self._chunks >= CHUNKS_BEFORE_DROP:
            raise ConnectionDropped
        return None

    def stalls(self, chunks: int, *, with_comments: bool) -> None:
        """Let `send_until_stall` stop after so many chunks."""
        self._stalls_at, self._with_comments = chunks, with_comments

    async def send_until_stall(self, message: Message) -> None:
        """Let some chunks of a stream through, then comments or nothing; of a plain answer nothing."""
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "").partition(";")[0]
            self._comment = COMMENTS.get(kind)
            if self._comment is None:
                await self.gone.wait()
                raise ConnectionDropped
            return await self.send(message)
        if self._chunks < self._stalls_at and message.get("more_body", False):
            self._chunks += 1
            return await self.send(message)
        while not self.gone.is_set():
            if self._with_comments:
                await self.send({"type": message["type"], "body": self._comment, "more_body": True})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COMMENT_SECONDS):
                    await self.gone.wait()
        raise ConnectionDropped

    async def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer without the app."""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})
