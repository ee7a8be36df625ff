"""How the OptiLLM stand-in words its answers: with less in them than OpenAI's, as OptiLLM 0.4.0 does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from litellm_homelab.demo.optillm.approach import ApproachRequest

Json = dict[str, Any]


def whole(asked: ApproachRequest, texts: list[str], tokens: int) -> Response:
    """OptiLLM's own answer: no id, object, created, prompt_tokens or total_tokens."""
    choices = [
        {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for index, text in enumerate(texts)
    ]
    usage = {"completion_tokens": tokens, "completion_tokens_details": {"reasoning_tokens": 0}}
    return JSONResponse({"model": asked.model, "choices": choices, "usage": usage})


def streamed(asked: ApproachRequest, texts: list[str]) -> Response:
    """One chunk for each choice after the whole run, and no usage even where it was asked for."""
    deltas = [
        [{"index": index, "delta": {"role": "assistant", "content": text}, "finish_reason": "stop"}]
        for index, text in enumerate(texts)
    ]
    return StreamingResponse(_events({}, asked.model, deltas), media_type="text/event-stream")


def passed_on(body: Json, completion: Json) -> Response:
    """The upstream's answer as ``none`` gives it back, cut into two chunks for each choice when streamed."""
    if not body.get("stream"):
        return JSONResponse(completion)
    deltas: list[list[Json]] = []
    for choice in completion["choices"]:
        index, finish = choice["index"], choice["finish_reason"] or "stop"
        deltas.append([{"index": index, "delta": _delta(choice["message"]), "finish_reason": None}])
        deltas.append([{"index": index, "delta": {}, "finish_reason": finish}])
    asked = (body.get("stream_options") or {}).get("include_usage")
    usage = completion.get("usage") if asked else None
    events = _events(completion, completion["model"], deltas, usage)
    return StreamingResponse(events, media_type="text/event-stream")


def _delta(message: Json) -> Json:
    kept = {name: message[name] for name in ("content", "reasoning_content", "refusal") if message.get(name)}
    calls = [{"index": index, **call} for index, call in enumerate(message.get("tool_calls") or [])]
    return {"role": "assistant", **kept, **({"tool_calls": calls} if calls else {})}


def _events(source: Json, model: str, deltas: list[list[Json]], usage: Json | None = None) -> Iterator[str]:
    now = time.time()
    envelope = {
        "id": source.get("id") or f"chatcmpl-{int(now * 1000)}",
        "object": "chat.completion.chunk",
        "created": source.get("created") or int(now),
        "model": model,
    }
    chunks: list[Json] = [{**envelope, "choices": choices} for choices in deltas]
    if usage:
        chunks.append({**envelope, "choices": [], "usage": usage})
    yield from (f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    yield "data: [DONE]\n\n"
