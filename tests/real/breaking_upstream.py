"""An upstream that breaks in mid-stream, with an error that names its model and its address."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

Chunk = Callable[[str], dict[str, Any]]


async def _answer(request: Request) -> StreamingResponse:
    model, url = (await request.json())["model"], str(request.url)
    chunk = _chat_chunk if request.url.path.endswith("/chat/completions") else _text_chunk
    return StreamingResponse(_events(chunk, model, url), media_type="text/event-stream")


async def _events(chunk: Chunk, model: str, url: str) -> AsyncIterator[str]:
    """Two words and then what vLLM sends when its engine dies: an event with an error."""
    for word in ("half ", "an answer"):
        yield _event({"created": 1, "model": model, **chunk(word)})
    message = f"The engine of `{model}` at {url} has died."
    yield _event({"error": {"message": message, "type": "InternalServerError", "param": None, "code": 500}})


def _chat_chunk(word: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
    return {"id": "chatcmpl-torn", "object": "chat.completion.chunk", "choices": [choice]}


def _text_chunk(word: str) -> dict[str, Any]:
    choice = {"index": 0, "text": word, "logprobs": None, "finish_reason": None}
    return {"id": "cmpl-torn", "object": "text_completion", "choices": [choice]}


def _event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body)}\n\n"


PATHS = ("/v1/chat/completions", "/v1/completions")
APP = Starlette(routes=[Route(path, _answer, methods=["POST"]) for path in PATHS])
