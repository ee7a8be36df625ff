"""CORS headers of answers that are given before LiteLLM's own middleware for them is reached."""

from __future__ import annotations

from typing import Any, Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message, Receive, Scope, Send

from litellm_homelab.formats import header_pairs

PREFIX: Final = b"access-control-"


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """The app that the middleware expects; it is never called."""


def of(app: Any) -> CORSMiddleware | None:  # noqa: ANN401 - LiteLLM's FastAPI app
    """LiteLLM's middleware with LiteLLM's own options; None where it has none."""
    for one in app.user_middleware:
        if one.cls is CORSMiddleware:
            return CORSMiddleware(_nothing, *one.args, **one.kwargs)
    return None


def adding(cors: CORSMiddleware | None, scope: Scope, send: Send) -> Send:
    """
    An ASGI `send` that adds the headers which the middleware would have added, where it was not reached.

    A browser shows a page nothing of an answer without them, not even the status.
    """
    if cors is None or scope["type"] != "http" or not header_pairs.values(scope["headers"], b"origin"):
        return send
    asked = Headers(scope=scope)

    async def added(message: Message) -> None:
        present = any(name.lower().startswith(PREFIX) for name, _ in message.get("headers", ()))
        if message["type"] == "http.response.start" and not present:
            await cors.send(message, send, asked)
        else:
            await send(message)

    return added
