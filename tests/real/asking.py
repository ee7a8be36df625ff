"""One question over plain HTTP, for tests that look at the whole answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import httpx


class Asked(Protocol):
    """What can be asked: a gateway, or a rig around one."""

    def post(self, path: str, body: object) -> httpx.Response:
        """POST JSON with a key that may ask for everything."""


_MESSAGES = [{"role": "user", "content": "hello"}]
_BODIES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": _MESSAGES}),
    "completions": ("/v1/completions", {"prompt": "hello"}),
    "responses": ("/v1/responses", {"input": "hello"}),
    "messages": ("/v1/messages", {"messages": _MESSAGES, "max_tokens": 60}),
}
_CONTENTS = [{"role": "user", "parts": [{"text": "hello"}]}]
ROUTES = (*_BODIES, "generate")
"""Every route that a handle of mode chat serves."""


def ask(gateway: Asked, route: str, model: str, *, stream: bool, **fields: object) -> httpx.Response:
    """Say hello to a model on a route, with further body fields."""
    path, body = asked_for(route, model, stream=stream)
    return gateway.post(path, {**body, **fields})


def asked_for(route: str, model: str, *, stream: bool) -> tuple[str, dict[str, Any]]:
    """Path and body of that question."""
    if route == "generate":
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{model}:{verb}", {"contents": _CONTENTS}
    path, body = _BODIES[route]
    return path, {"model": model, **body, **({"stream": True} if stream else {})}
