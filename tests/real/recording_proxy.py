"""A server in between that records what passes and hands it on."""

from __future__ import annotations

import httpx
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from litellm_homelab.demo.recorder import Recorder

HOP = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


class Passing:
    """An ASGI app that records each request under `name` and sends it to the server at `root`."""

    def __init__(self, name: str, root: str, recorder: Recorder) -> None:
        self._name = name
        self._root = root
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request (ASGI 3), its answer in one piece."""
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        content, query = b"".join(parts), scope["query_string"].decode("latin-1")
        headers = Headers(raw=scope["headers"])
        self._recorder.record(self._name, scope["method"], scope["path"], query, headers, content)
        kept = {name: value for name, value in headers.items() if name not in HOP}
        url = f"{self._root}{scope['path']}" + (f"?{query}" if query else "")
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            answer = await client.request(scope["method"], url, headers=kept, content=content)
        raw = [(b"content-type", answer.headers.get("content-type", "text/plain").encode())]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": raw})
        await send({"type": "http.response.body", "body": answer.content})
