"""``/api/chat`` and ``/api/generate``: answers in one piece or as lines of JSON, as Ollama shapes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from litellm_homelab.demo import answers, chat, completions, request_body
from litellm_homelab.demo.answers import Reply

Json = dict[str, Any]

CREATED: Final = "2023-11-14T22:13:20Z"
"""``answers.CREATED`` as Ollama writes it."""


def reply(backend: str, body: Json, *, is_chat: bool) -> Reply:
    """The answer to a request; a BadRequestError when it cannot be read."""
    options = body.get("options")
    most = options.get("num_predict") if isinstance(options, dict) else None
    asked = {**body, "max_tokens": most if isinstance(most, int) and most > 0 else None}
    said = chat.replies(backend, asked) if is_chat else completions.replies(backend, asked)
    return said[0]


def whole(body: Json, said: Reply, *, is_chat: bool) -> Json:
    """The answer in one piece."""
    return {**_said(body, said.text, said.tool, is_chat=is_chat), **_end(body, said)}


def lines(body: Json, said: Reply, *, is_chat: bool) -> Iterator[Json]:
    """The lines of a stream; a call of a tool comes in one."""
    for piece in () if said.tool else said.pieces:
        yield {**_said(body, piece, None, is_chat=is_chat), "done": False}
    yield {**_said(body, "", said.tool, is_chat=is_chat), **_end(body, said)}


def _said(body: Json, text: str, tool: Json | None, *, is_chat: bool) -> Json:
    envelope: Json = {"model": body["model"], "created_at": CREATED}
    if not is_chat:
        return {**envelope, "response": text}
    message: Json = {"role": "assistant", "content": "" if tool else text}
    if tool:
        function = {**tool["function"], "arguments": json.loads(tool["function"]["arguments"])}
        message["tool_calls"] = [{"function": function}]
    return {**envelope, "message": message}


def _end(body: Json, said: Reply) -> Json:
    texts = [request_body.text_of(one.get("content")) for one in body.get("messages") or ()]
    read = answers.prompt_tokens(texts or [str(body.get("prompt"))])
    reason = "length" if said.finish_reason == "length" else "stop"
    return {"done": True, "done_reason": reason, "prompt_eval_count": read, "eval_count": said.tokens}


async def paced(items: Iterator[Json], pace: float) -> AsyncIterator[str]:
    """Lines of JSON at ``pace`` per second (0: at once)."""
    for item in items:
        if pace:
            await asyncio.sleep(1 / pace)
        yield json.dumps(item) + "\n"
