"""A relay on a port of its own: passes requests on, keeps what it saw, and may stop or rename them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

HOP = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "keep-alive", "accept-encoding"}
)
"""Headers that belong to one connection (RFC 9110 section 7.6.1), and those that httpx writes itself."""
CAP = 20
"""Calls after which a loop has been shown to be one."""
STOPPED = "stopped by the relay"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that the relay received, as it arrived."""

    method: str
    path: str
    query: str
    headers: Headers
    body: Any
    """The JSON of the body; None where it holds none."""

    @property
    def model(self) -> str:
        """The model that it asks for; empty for none."""
        return str(self.body.get("model", "")) if isinstance(self.body, dict) else ""


class Relay:
    """
    An ASGI app that is `target` on another address.

    `rename` changes the model name of each body.  Of the POST requests the first `cap` are passed on; later
    ones are answered with a completion, since an error would be retried at every level of a loop, more often
    than it went round (measured on OptiLLM 0.4.0 behind LiteLLM 1.106.2).  `pause` is how many seconds pass
    between two events of a stream, so that a client can leave in between.
    """

    def __init__(
        self, target: str = "", *, cap: int | None = None, rename: Callable[[str], str] | None = None
    ) -> None:
        self.target = target
        self.cap = cap
        self.rename = rename
        self.pause = 0.0
        self.calls: list[Call] = []
        self._client: httpx.AsyncClient | None = None

    @property
    def posts(self) -> list[Call]:
        """The POST requests among the calls."""
        return [call for call in self.calls if call.method == "POST"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request (ASGI 3)."""
        request = Request(scope, receive)
        content = await request.body()
        call = Call(request.method, request.url.path, request.url.query, request.headers, _json(content))
        self.calls.append(call)
        stopped = self.cap is not None and call.method == "POST" and len(self.posts) > self.cap
        response = _stopped(call.model) if stopped else await self._pass_on(request, call, content)
        await response(scope, receive, send)

    async def _pass_on(self, request: Request, call: Call, content: bytes) -> Response:
        if self._client is None:  # made here, on the event loop that it belongs to
            self._client = httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None))
        headers = [(name, value) for name, value in request.headers.items() if name not in HOP]
        url = f"{self.target}{call.path}" + (f"?{call.query}" if call.query else "")
        outgoing = self._client.build_request(
            request.method, url, headers=headers, content=self._renamed(call, content)
        )
        try:
            answer = await self._client.send(outgoing, stream=True)
        except httpx.TransportError as error:
            return JSONResponse({"error": f"relay: {type(error).__name__}"}, 502)
        kept = {name: value for name, value in answer.headers.items() if name not in HOP}
        kept.pop("content-encoding", None)
        return StreamingResponse(
            self._read(answer), answer.status_code, kept, background=BackgroundTask(answer.aclose)
        )

    async def _read(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        if not self.pause or "event-stream" not in answer.headers.get("content-type", ""):
            async for part in answer.aiter_bytes():
                yield part
            return
        async for line in answer.aiter_lines():
            if line:
                yield f"{line}\n\n".encode()
                await asyncio.sleep(self.pause)

    def _renamed(self, call: Call, content: bytes) -> bytes:
        if self.rename is None or not call.model:
            return content
        return json.dumps({**call.body, "model": self.rename(call.model)}).encode()


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _stopped(model: str) -> Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": STOPPED}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    answer = {"id": "chatcmpl-relay", "object": "chat.completion", "created": 1, "model": model}
    return JSONResponse({**answer, "choices": [choice], "usage": usage})
