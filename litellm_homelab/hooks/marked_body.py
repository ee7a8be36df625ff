"""Takes the mark off a model name before LiteLLM sees the body, so that it is in none of its logs."""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from litellm_homelab.optillm import lineage

MARK = lineage.MARKER.encode()
CHAT = ("/chat/completions", "/completions")
"""How the paths end that OptiLLM calls back."""


def may_carry(scope: Scope) -> bool:
    """Whether a request is of the kind that OptiLLM makes: a chat completion with a JSON body."""
    if scope["type"] != "http" or scope["method"] != "POST" or not str(scope["path"]).endswith(CHAT):
        return False
    return "form" not in Headers(scope=scope).get("content-type", "")


async def serve(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, unmark: Callable[[str], str]
) -> None:
    """Serve a request from `app` as if its model name had carried no mark."""
    first = await receive()
    parts: list[bytes] = []
    while first["type"] == "http.request":
        parts.append(first.get("body", b""))
        if not first.get("more_body", False):
            break
        first = await receive()
    body = b"".join(parts)
    clean = _without_mark(body, unmark) if MARK in body else body
    replay = _Replay([_request(clean)] if first["type"] == "http.request" else [first], receive)
    await app(_with_length(scope, len(clean)) if clean is not body else scope, replay, send)


def _without_mark(body: bytes, unmark: Callable[[str], str]) -> bytes:
    try:
        document = json.loads(body)
    except ValueError:
        return body
    model = document.get("model") if isinstance(document, dict) else None
    if not isinstance(model, str) or lineage.MARKER not in model:
        return body
    return json.dumps({**document, "model": unmark(model)}).encode()


def _request(body: bytes) -> Message:
    return {"type": "http.request", "body": body, "more_body": False}


def _with_length(scope: Scope, length: int) -> Scope:
    headers = [pair for pair in scope["headers"] if pair[0].lower() != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}


class _Replay:
    """A `receive` that gives what was read already, then what comes after it (a disconnect)."""

    def __init__(self, messages: list[Message], receive: Receive) -> None:
        self._messages = messages
        self._receive = receive

    async def __call__(self) -> Message:
        return self._messages.pop(0) if self._messages else await self._receive()
