"""Plausible bodies of every API's answers, from their own documentation; each says hello."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
CREATED = 1_700_000_000
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def chat(body: Json) -> Json:
    """`POST /chat/completions` of OpenAI."""
    message = {"role": "assistant", "content": "hello"}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {**_head("chatcmpl-1", "chat.completion", body), "choices": [choice], "usage": USAGE}


def chat_chunks(body: Json) -> Iterator[Json]:
    """The same, streamed."""
    for delta, finish in (({"role": "assistant", "content": "hello"}, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        yield {**_head("chatcmpl-1", "chat.completion.chunk", body), "choices": [choice]}


def text(body: Json) -> Json:
    """`POST /completions` of OpenAI."""
    choice = {"index": 0, "text": "hello", "finish_reason": "stop", "logprobs": None}
    return {**_head("cmpl-1", "text_completion", body), "choices": [choice], "usage": USAGE}


def text_chunks(body: Json) -> Iterator[Json]:
    """The same, streamed."""
    for piece, finish in (("hello", None), ("", "stop")):
        choice = {"index": 0, "text": piece, "finish_reason": finish, "logprobs": None}
        yield {**_head("cmpl-1", "text_completion", body), "choices": [choice]}


def response(body: Json, status: str = "completed") -> Json:
    """`POST /responses` of OpenAI, and `GET /responses/{id}`."""
    part = {"type": "output_text", "text": "hello", "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "model": body.get("model", "unnamed"),
        "output": [message] if status == "completed" else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": {
            "input_tokens": 1,
            "output_tokens": 1,
            "total_tokens": 2,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def response_events(body: Json) -> Iterator[Json]:
    """The same, streamed."""
    done = response(body)
    message = done["output"][0]
    place = {"output_index": 0, "item_id": "msg_1"}
    events: list[Json] = [
        {"type": "response.created", "response": response(body, "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": {**message, "content": []}},
        {"type": "response.output_text.delta", **place, "content_index": 0, "delta": "hello"},
        {"type": "response.output_text.done", **place, "content_index": 0, "text": "hello"},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": done},
    ]
    for number, event in enumerate(events):
        yield {**event, "sequence_number": number}


def embeddings(body: Json) -> Json:
    """`POST /embeddings` of OpenAI."""
    data = [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]
    return {"object": "list", "data": data, "model": body.get("model", "unnamed"), "usage": USAGE}


def images(_: Json) -> Json:
    """`POST /images/generations` and `/images/edits` of OpenAI."""
    return {"created": CREATED, "data": [{"b64_json": "aGVsbG8="}]}


def moderations(body: Json) -> Json:
    """`POST /moderations` of OpenAI."""
    result = {"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.0}}
    return {"id": "modr-1", "model": body.get("model", "unnamed"), "results": [result]}


def rerank(body: Json) -> Json:
    """`POST /rerank` of vLLM and Jina."""
    result = {"index": 0, "relevance_score": 0.9, "document": {"text": "hello"}}
    usage = {"total_tokens": 1}
    return {"id": "rerank-1", "model": body.get("model", "unnamed"), "results": [result], "usage": usage}


def ollama_chat(body: Json) -> list[Json]:
    """`POST /api/chat` of Ollama: the last object is the whole answer where it is not streamed."""
    message = {"role": "assistant", "content": "hello"}
    return [{**_ollama(body), "message": message, "done": False}, {**_ollama_end(body), "message": message}]


def ollama_text(body: Json) -> list[Json]:
    """`POST /api/generate` of Ollama, likewise."""
    return [
        {**_ollama(body), "response": "hello", "done": False},
        {**_ollama_end(body), "response": "hello"},
    ]


def ollama_embeddings(body: Json) -> Json:
    """`POST /api/embed` of Ollama."""
    return {"model": body.get("model", "unnamed"), "embeddings": [[0.1, 0.2]], "prompt_eval_count": 1}


def kept(kind: str, body: Json) -> Json:
    """A file, batch, video or container, or a list of one."""
    one = {
        "id": f"{kind}_1",
        "object": kind,
        "created_at": CREATED,
        "status": "processed" if kind == "file" else "completed",
        "bytes": 1,
        "filename": "x.jsonl",
        "purpose": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": "file_1",
        "completion_window": "24h",
        "model": body.get("model"),
        "name": "x",
    }
    if body["_method"] == "GET" and body["_path"].rstrip("/").endswith(
        ("files", "batches", "videos", "containers")
    ):
        return {"object": "list", "data": [one], "has_more": False}
    return {**one, **({"deleted": True} if body["_method"] == "DELETE" else {})}


def _head(identifier: str, kind: str, body: Json) -> Json:
    return {"id": identifier, "object": kind, "created": CREATED, "model": body.get("model", "unnamed")}


def _ollama(body: Json) -> Json:
    return {"model": body.get("model", "unnamed"), "created_at": "2025-01-01T00:00:00Z"}


def _ollama_end(body: Json) -> Json:
    counts = {"prompt_eval_count": 1, "eval_count": 1, "total_duration": 1, "eval_duration": 1}
    return {**_ollama(body), "done": True, "done_reason": "stop", **counts}
