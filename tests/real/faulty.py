"""A backend with one fault for each first segment of the path, in the format of the API below it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from tests.real.anyapi import AnyApi

LONGEST: Final = 40
"""Seconds after which a fault that would last for ever ends."""
BEAT: Final = 0.1
"""Seconds between the bytes of a fault that says nothing."""
USAGE: Final = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def _event(body: Mapping[str, Any], *, named: bool = False) -> bytes:
    name = f"event: {body['type']}\n" if named else ""
    return f"{name}data: {json.dumps(body)}\n\n".encode()


def _line(body: Mapping[str, Any]) -> bytes:
    return json.dumps({"model": "m", "created_at": "2026-11-25T00:00:00Z", **body}).encode() + b"\n"


def _chat(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _event(
        {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    )


def _text(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
    return _event({"id": "t1", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]})


@dataclass(frozen=True, slots=True)
class Frames:
    """One format: what opens a stream, its content, its end, an error in it; and its comment."""

    opening: bytes
    content: bytes
    end: bytes
    error: bytes
    comment: bytes = b": still working\n\n"
    kind: str = "text/event-stream"
    nothing: bytes = b""
    """Its end where it had no content, if that is another."""


_FAILED: Final = {"error": {"message": "the engine died", "type": "server_error", "code": 500}}
_RESPONSE: Final = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "output": [],
                    "status": "in_progress", "parallel_tool_calls": True, "tool_choice": "auto",
                    "tools": []}  # fmt: skip
_TEXT_PART: Final = {"type": "output_text", "text": "", "annotations": []}
_ITEM: Final = {"id": "m1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
_WHOLE: Final = {**_RESPONSE, "status": "completed",
                 "output": [{**_ITEM, "status": "completed", "content": [{**_TEXT_PART, "text": "half"}]}],
                 "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}}  # fmt: skip
_MESSAGE: Final[dict[str, Any]] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                   "content": [], "stop_reason": None, "stop_sequence": None,
                   "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip
FORMATS: Final[Mapping[str, Frames]] = {
    "/chat/completions": Frames(
        _chat({"role": "assistant", "content": ""}),
        _chat({"content": "half"}),
        _chat({}, "stop") + b"data: [DONE]\n\n",
        _event(_FAILED),
    ),
    "/completions": Frames(
        _text(""), _text("half"), _text("", "stop") + b"data: [DONE]\n\n", _event(_FAILED)
    ),
    "/responses": Frames(
        _event({"type": "response.created", "sequence_number": 0, "response": _RESPONSE}, named=True),
        _event({"type": "response.output_text.delta", "sequence_number": 3, "item_id": "m1",
                "output_index": 0, "content_index": 0, "delta": "half", "logprobs": []}, named=True),
        _event({"type": "response.completed", "sequence_number": 4, "response": _WHOLE}, named=True),
        _event({"type": "error", "sequence_number": 5, "code": "server_error", "message": "the engine died",
                "param": None}, named=True),
        nothing=_event({"type": "response.completed", "sequence_number": 4,
                        "response": {**_RESPONSE, "status": "completed"}}, named=True),
    ),
    "/messages": Frames(
        _event({"type": "message_start", "message": _MESSAGE}, named=True)
        + _event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                 named=True),
        _event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "half"}},
               named=True),
        _event({"type": "content_block_stop", "index": 0}, named=True)
        + _event({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                  "usage": {"output_tokens": 1}}, named=True)
        + _event({"type": "message_stop"}, named=True),
        _event({"type": "error", "error": {"type": "api_error", "message": "the engine died"}}, named=True),
        b'event: ping\ndata: {"type": "ping"}\n\n',
    ),
    ":streamGenerateContent": Frames(
        _event({"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "index": 0}]}),
        _event({"candidates": [{"content": {"role": "model", "parts": [{"text": "half"}]}, "index": 0}]}),
        _event({"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "index": 0,
                                "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}),
        _event({"error": {"code": 503, "message": "the engine died", "status": "UNAVAILABLE"}}),
    ),
    "/api/chat": Frames(
        _line({"message": {"role": "assistant", "content": ""}, "done": False}),
        _line({"message": {"role": "assistant", "content": "half"}, "done": False}),
        _line({"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop",
               "prompt_eval_count": 1, "eval_count": 1}),
        _line({"error": "the engine died"}),
        b"\n",
        "application/x-ndjson",
    ),
}  # fmt: skip
"""By the ending of the path."""
EMPTY: Final[Mapping[str, Any]] = {
    "/completions": {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [],
                     "usage": USAGE},
    "/responses": {**_RESPONSE, "status": "completed"},
    "/messages": {**_MESSAGE, "stop_reason": "end_turn"},
    "enerateContent": {"candidates": [], "usageMetadata": {}},
    "/api/chat": {"model": "m", "created_at": "2026-11-25T00:00:00Z", "done": True,
                  "message": {"role": "assistant", "content": ""}},
}  # fmt: skip
"""Whole answers without an answer."""


class Faulty:
    """An ASGI app: `/<fault>/...` has that fault, `/works/...` answers."""

    def __init__(self) -> None:
        self.any = AnyApi()
        self.seen: list[str] = []
        """The fault of each request, in order."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        fault, _, rest = scope["path"].lstrip("/").partition("/")
        rest = f"/{rest}"
        self.seen.append(fault)
        if rest.endswith("api/show"):  # LiteLLM asks it with a sync client, which holds up its event loop
            await _whole(send, {"error": "not here"}, status=404)
            return
        if fault == "works":
            await self.any({**scope, "path": rest}, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        streamed = ":stream" in rest or (bool(body) and json.loads(body).get("stream") is not False
                                         and (b'"stream"' in body or "/api/" in rest))  # fmt: skip
        frames = next((one for ending, one in FORMATS.items() if rest.endswith(ending)), None)
        left = asyncio.ensure_future(_left(receive))
        work = asyncio.ensure_future(_answer(fault, rest, frames if streamed else None, send))
        try:
            await asyncio.wait({left, work}, timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
        finally:
            left.cancel()
            work.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(fault: str, path: str, frames: Frames | None, send: Send) -> None:
    if fault.isdigit():
        await _whole(send, _FAILED, status=int(fault))
    elif fault == "html":
        await _start(send, "text/html")
        await _send(send, b"<!doctype html><html><body>502 Bad Gateway</body></html>", more=False)
    elif fault == "silent" or (frames is None and fault not in {"empty", "json", "choices"}):
        await asyncio.sleep(LONGEST)
    elif frames is None or fault in {"json", "choices"}:
        await _whole(send, next(one for ending, one in EMPTY.items() if path.endswith(ending)))
    else:
        await _streamed(fault, frames, send)


async def _streamed(fault: str, frames: Frames, send: Send) -> None:
    await _start(send, frames.kind)
    if fault == "comments":
        await _for_ever(send, frames.comment)
    if fault == "chunks":
        await _for_ever(send, frames.opening)
    await _send(send, frames.opening)
    if fault in {"error", "empty"}:
        await _send(send, frames.error if fault == "error" else frames.nothing or frames.end, more=False)
        return
    await _send(send, frames.content)
    await asyncio.sleep(BEAT)
    if fault == "stall":
        await asyncio.sleep(LONGEST)
    if fault == "stall-comments":
        await _for_ever(send, frames.comment)
    if fault == "stall-chunks":
        await _for_ever(send, frames.opening)
    if fault == "endless":
        await _for_ever(send, frames.content)
    if fault == "drop":
        raise ConnectionResetError("the fault `drop`")
    await _send(send, frames.error if fault == "error-later" else b"", more=False)  # else: `unfinished`


async def _for_ever(send: Send, raw: bytes) -> None:
    for _ in range(int(LONGEST / BEAT)):
        await _send(send, raw)
        await asyncio.sleep(BEAT)


async def _whole(send: Send, body: object, status: int = 200) -> None:
    await _start(send, "application/json", status)
    await _send(send, json.dumps(body).encode(), more=False)


async def _start(send: Send, kind: str, status: int = 200) -> None:
    headers = [(b"content-type", kind.encode())]
    headers += [(b"retry-after", b"7")] if status == 429 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _send(send: Send, raw: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": raw, "more_body": more})


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """
    An address whose SYN nobody answers: a listening socket with a full backlog.

    Linux drops the SYN of a connection for which the queue of accepted ones has no room.
    """
    listener = socket.socket()
    waiting: list[socket.socket] = []
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        where = listener.getsockname()
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            waiting.append(one)
            with contextlib.suppress(BlockingIOError):
                one.connect(where)
        yield f"http://127.0.0.1:{where[1]}"
    finally:
        for one in (*waiting, listener):
            one.close()
