"""``/v1/chat/completions``: one answer or a paced stream of chunks, shaped as OpenAI shapes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from litellm_homelab.demo import answers, request_body
from litellm_homelab.demo.answers import Reply

Json = dict[str, Any]


def replies(backend: str, body: Json) -> list[Reply]:
    """The choices that answer a chat request; a BadRequestError when it cannot be read."""
    request_body.messages(body)
    limit = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    most = request_body.whole_number(body, limit, default=0) or None
    return answers.chat_replies(backend, body, request_body.choices(body), most, request_body.stops(body))


def usage(body: Json, given: Sequence[Reply]) -> Json:
    """The usage of a chat answer, over all its choices."""
    texts = [request_body.text_of(message.get("content")) for message in body["messages"]]
    spent: Json = answers.usage(answers.prompt_tokens(texts), sum(reply.tokens for reply in given))
    reasoning = sum(len(reply.reasoning) for reply in given)
    return spent | ({"completion_tokens_details": {"reasoning_tokens": reasoning}} if reasoning else {})


def completion(body: Json, given: Sequence[Reply]) -> Json:
    """The answer that is not streamed."""
    return {
        **_envelope(body, "chat.completion"),
        "choices": [_choice(index, reply) for index, reply in enumerate(given)],
        "usage": usage(body, given),
    }


def _envelope(body: Json, kind: str) -> Json:
    return {
        "id": answers.identifier("chatcmpl", body),
        "object": kind,
        "created": answers.CREATED,
        "model": body["model"],
        "system_fingerprint": answers.FINGERPRINT,
    }


def _choice(index: int, reply: Reply) -> Json:
    message: Json = {"role": "assistant", "content": None if reply.tool else reply.text}
    if reply.reasoning:
        message["reasoning_content"] = "".join(reply.reasoning)
    if reply.tool:
        message["tool_calls"] = [reply.tool]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": reply.finish_reason}


def chunks(body: Json, given: Sequence[Reply]) -> Iterator[Json]:
    """The chunks of a stream: roles, deltas (the choices in turn), ends, and usage where it was asked for."""
    with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
    envelope = _envelope(body, "chat.completion.chunk") | ({"usage": None} if with_usage else {})
    for index, delta, finish in _deltas(given):
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        yield {**envelope, "choices": [choice]}
    if with_usage:
        yield {**envelope, "choices": [], "usage": usage(body, given)}


def _deltas(given: Sequence[Reply]) -> Iterator[tuple[int, Json, str | None]]:
    for index, reply in enumerate(given):
        yield index, _opening(reply), None
    turns = [_said(reply) for reply in given]
    for step in range(max(len(said) for said in turns)):
        for index, said in enumerate(turns):
            if step < len(said):
                yield index, said[step], None
    for index, reply in enumerate(given):
        yield index, {}, reply.finish_reason


def _said(reply: Reply) -> list[Json]:
    """The deltas between the first and the last: reasoning, then the answer; never both in one."""
    thought: list[Json] = [{"reasoning_content": piece} for piece in reply.reasoning]
    named = [{"tool_calls": _call_without_arguments(reply.tool)}] if thought and reply.tool else []
    return thought + named + [_piece(reply, piece) for piece in reply.pieces]


def _opening(reply: Reply) -> Json:
    if not reply.tool or reply.reasoning:  # as vLLM does: a tool is named once the reasoning is over
        return {"role": "assistant", "content": ""}
    return {"role": "assistant", "content": None, "tool_calls": _call_without_arguments(reply.tool)}


def _call_without_arguments(tool: Json) -> list[Json]:
    return [{**tool, "index": 0, "function": {**tool["function"], "arguments": ""}}]


def _piece(reply: Reply, text: str) -> Json:
    if not reply.tool:
        return {"content": text}
    return {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}


async def events(items: Iterator[Json], pace: float) -> AsyncIterator[str]:
    """Server-sent events at ``pace`` per second (0: at once), and the ``[DONE]`` that ends them."""
    for item in items:
        if pace:
            await asyncio.sleep(1 / pace)
        yield f"data: {json.dumps(item)}\n\n"
    yield "data: [DONE]\n\n"
