"""An upstream that breaks in mid-stream, with an error that names its model and its address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


async def _answer(request: Request) -> StreamingResponse:
    body = await request.json()
    return StreamingResponse(_events(body["model"], str(request.url)), media_type="text/event-stream")


async def _events(model: str, url: str) -> AsyncIterator[str]:
    """Two words and then what vLLM sends when its engine dies: an event with an error."""
    for word in ("half ", "an answer"):
        choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
        yield _event(
            {"id": "chatcmpl-torn", "object": "chat.completion.chunk", "created": 1, "model": model}
            | {"choices": [choice]}
        )
    message = f"The engine of `{model}` at {url} has died."
    yield _event({"error": {"message": message, "type": "InternalServerError", "param": None, "code": 500}})


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body)}\n\n"


APP = Starlette(routes=[Route("/v1/chat/completions", _answer, methods=["POST"])])
