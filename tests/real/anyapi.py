"""A backend that answers every API LiteLLM speaks, and keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty for a form."""
        return json.loads(self.body) if self.body[:1] == b"{" else {}


class AnyApi:
    """An ASGI app; `fail` is a status to answer everything with."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.fail: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        request = Request(scope, receive)
        body = await request.body()
        headers = dict(request.headers)
        path = scope["path"]
        one = Seen(request.method, path, request.url.query, headers, body)
        self.seen.append(one)
        response = self._answer(one) if self.fail is None else JSONResponse({"error": "x"}, self.fail)
        await response(scope, receive, send)

    def _answer(self, one: Seen) -> Response:
        last = one.path.rsplit("/", 1)[-1]
        if ":" in last:
            return _gemini(last)
        for ending, answer in ANSWERS.items():
            if one.path.endswith(ending):
                return answer(one)
        return JSONResponse({"error": f"no {one.path}"}, 404)


def _gemini(verb: str) -> Response:
    if verb.endswith("streamGenerateContent"):
        return _events([GEMINI], done=False)
    if "mbed" in verb:
        return JSONResponse({"embedding": {"values": [0.1]}, "embeddings": [{"values": [0.1]}]})
    return JSONResponse(GEMINI)


def _events(events: list[dict[str, Any]], *, done: bool = True, names: bool = False) -> Response:
    async def lines() -> AsyncIterator[str]:
        for one in events:
            yield (f"event: {one['type']}\n" if names else "") + f"data: {json.dumps(one)}\n\n"
        if done:
            yield "data: [DONE]\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


def _chat(one: Seen) -> Response:
    model = one.json.get("model")
    start: dict[str, Any] = {"id": "c1", "created": 1, "model": model, "service_tier": "default"}
    if one.json.get("stream"):
        delta = {"index": 0, "delta": {"role": "assistant", "content": "hi"}, "finish_reason": None}
        end = {"index": 0, "delta": {}, "finish_reason": "stop"}
        chunk = {**start, "object": "chat.completion.chunk"}
        return _events([{**chunk, "choices": [delta]}, {**chunk, "choices": [end], "usage": USAGE}])
    message = {"role": "assistant", "content": "hi"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({**start, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def _text(one: Seen) -> Response:
    choice = {"index": 0, "text": "hi", "finish_reason": "stop", "logprobs": None}
    made = {"id": "t1", "object": "text_completion", "created": 1, "model": one.json.get("model")}
    whole = {**made, "choices": [choice], "usage": USAGE}
    return _events([whole]) if one.json.get("stream") else JSONResponse(whole)


def _responses(one: Seen) -> Response:
    content = [{"type": "output_text", "text": "hi", "annotations": []}]
    item = {"id": "m1", "type": "message", "role": "assistant", "status": "completed", "content": content}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    whole = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": one.json.get("model"),
        "output": [item],
        "usage": usage,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    if one.json.get("stream"):
        return _events([{"type": "response.completed", "response": whole}], names=True)
    return JSONResponse(whole)


def _ollama(one: Seen) -> Response:
    said = {"message": {"role": "assistant", "content": "hi"}, "response": "hi", "done": False}
    end = {**said, "done": True, "done_reason": "stop", "prompt_eval_count": 1, "eval_count": 1}
    made = {"model": one.json.get("model"), "created_at": "2026-11-25T00:00:00Z"}
    if one.json.get("stream", True):
        body = "".join(json.dumps({**made, **line}) + "\n" for line in (said, end))
        return Response(body, media_type="application/x-ndjson")
    return JSONResponse({**made, **end})


def _embeddings(one: Seen) -> Response:
    data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
    return JSONResponse(
        {"object": "list", "data": data, "model": one.json.get("model"), "usage": USAGE,
         "embeddings": [[0.1, 0.2]], "prompt_eval_count": 1}
    )  # fmt: skip


def _images(_: Seen) -> Response:
    return JSONResponse({"created": 1, "data": [{"b64_json": "aGk="}]})


def _rerank(_: Seen) -> Response:
    return JSONResponse({"id": "r1", "results": [{"index": 0, "relevance_score": 0.5}], "meta": {}})


def _moderations(_: Seen) -> Response:
    return JSONResponse({"id": "m1", "model": "x", "results": [{"flagged": False, "categories": {},
                         "category_scores": {}, "category_applied_input_types": {}}]})  # fmt: skip


ANSWERS = {
    "/chat/completions": _chat,
    "/completions": _text,
    "/responses": _responses,
    "/api/chat": _ollama,
    "/api/generate": _ollama,
    "/api/embed": _embeddings,
    "/embeddings": _embeddings,
    "/images/generations": _images,
    "/images/edits": _images,
    "/audio/speech": lambda _: Response(b"mp3", media_type="audio/mpeg"),
    "/audio/transcriptions": lambda _: JSONResponse({"text": "hi"}),
    "/rerank": _rerank,
    "/moderations": _moderations,
}
"""By the ending of the path."""
