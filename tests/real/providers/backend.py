"""A backend that records what it is sent and answers in the shape of any API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from litellm_homelab.demo.recorder import Recorder
from tests.real.providers import shapes

Json = dict[str, Any]
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Given:
    """One answer: its media type and the pieces of its body."""

    media: str
    pieces: tuple[bytes, ...]
    status: int = 200


class AnyApi:
    """Answers the endpoints of `ENDPOINTS` by the end of their path, anything else with a 404."""

    def __init__(self, name: str, recorder: Recorder) -> None:
        self._name = name
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request (ASGI 3)."""
        content = await _read(receive)
        raw = bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        headers = Headers(raw=scope["headers"])
        self._recorder.record(self._name, scope["method"], raw, query, headers, content)
        given = answer(scope["method"], raw, content)
        head: Message = {
            "type": "http.response.start",
            "status": given.status,
            "headers": [(b"content-type", given.media.encode())],
        }
        await send(head)
        for piece in given.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _read(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def answer(method: str, path: str, content: bytes) -> Given:
    """What an upstream would say."""
    body = _json(content)
    for ending, make in ENDPOINTS:
        if path.endswith(ending) or (method != "POST" and f"{ending}/" in path):
            return make({**body, "_path": path, "_method": method})
    return _whole({"error": {"message": "no such endpoint", "type": "not_found", "code": None}}, 404)


def _json(content: bytes) -> Json:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _whole(value: object, status: int = 200) -> Given:
    return Given(JSON, (json.dumps(value).encode(),), status)


def _events(events: Iterable[Json], *, named: bool = False, done: bool = True) -> Given:
    pieces = [
        (f"event: {one['type']}\n" if named else "").encode() + b"data: " + json.dumps(one).encode() + b"\n\n"
        for one in events
    ]
    return Given("text/event-stream", (*pieces, *([b"data: [DONE]\n\n"] if done else [])))


def _lines(values: Iterable[Json]) -> Given:
    return Given("application/x-ndjson", tuple(json.dumps(one).encode() + b"\n" for one in values))


def _chat(body: Json) -> Given:
    return _events(shapes.chat_chunks(body)) if body.get("stream") else _whole(shapes.chat(body))


def _text(body: Json) -> Given:
    return _events(shapes.text_chunks(body)) if body.get("stream") else _whole(shapes.text(body))


def _responses(body: Json) -> Given:
    if body.get("stream"):
        return _events(shapes.response_events(body), named=True, done=False)
    return _whole(shapes.response(body))


def _ollama_chat(body: Json) -> Given:
    return _lines(shapes.ollama_chat(body)) if body.get("stream") else _whole(shapes.ollama_chat(body)[-1])


def _ollama_text(body: Json) -> Given:
    return _lines(shapes.ollama_text(body)) if body.get("stream") else _whole(shapes.ollama_text(body)[-1])


def _speech(body: Json) -> Given:
    # Mistral's API gives the sound as base64, all others as it is.
    if "mistral" in str(body.get("model")):
        return _whole({"audio_data": "aGVsbG8="})
    return Given("audio/mpeg", (b"ID3 demo",))


def _files(body: Json) -> Given:
    if body["_path"].endswith("/content"):
        return Given("application/octet-stream", (b'{"custom_id": "1"}\n',))
    return _whole(shapes.kept("file", body))


def _whole_of(shape: Callable[[Json], object]) -> Callable[[Json], Given]:
    return lambda body: _whole(shape(body))


ENDPOINTS: tuple[tuple[str, Callable[[Json], Given]], ...] = (
    ("/chat/completions", _chat),
    ("/completions", _text),
    ("/responses", _responses),
    ("/embeddings", _whole_of(shapes.embeddings)),
    ("/images/generations", _whole_of(shapes.images)),
    ("/images/edits", _whole_of(shapes.images)),
    ("/audio/speech", _speech),
    ("/audio/transcriptions", lambda _: _whole({"text": "hello"})),
    ("/moderations", _whole_of(shapes.moderations)),
    ("/rerank", _whole_of(shapes.rerank)),
    ("/api/chat", _ollama_chat),
    ("/api/generate", _ollama_text),
    ("/api/embed", _whole_of(shapes.ollama_embeddings)),
    ("/api/show", lambda _: _whole({"model_info": {}, "template": "", "capabilities": ["completion"]})),
    ("/files", _files),
    ("/batches", lambda body: _whole(shapes.kept("batch", body))),
    ("/videos", lambda body: _whole(shapes.kept("video", body))),
    ("/containers", lambda body: _whole(shapes.kept("container", body))),
    (
        "/search",
        lambda _: _whole({"results": [{"title": "t", "url": "https://example.org", "content": "c"}]}),
    ),
)
"""Each endpoint by the end of its path, the first that fits."""
