"""One ordinary request on every route that a handle may have."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

Pairs = tuple[tuple[str, str], ...]
PNG = b"\x89PNG\r\n\x1a\n"
TEXT = [{"role": "user", "content": "hello"}]
CONTENTS = [{"role": "user", "parts": [{"text": "hello"}]}]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a client sends it: `body` as JSON, or `form` and `files` as a multipart form."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    form: Pairs | None = None
    files: tuple[tuple[str, str, bytes], ...] = ()
    query: Pairs = ()
    headers: Pairs = ()
    content: bytes | None = None
    """The body as it is, in the place of `body`."""

    def send(self, client: httpx.Client, key: str) -> httpx.Response:
        """Send it with a caller's key; what `headers` says comes last."""
        headers = [("authorization", f"Bearer {key}"), *self.headers]
        url = self.path + (
            "?" + "&".join(f"{name}={value}" for name, value in self.query) if self.query else ""
        )
        request = client.build_request(self.method, "/", headers=headers, **self._content())
        # httpx would tidy a path up: dots and escapes are what some attacks are about.
        request.url = client.base_url.copy_with(raw_path=url.encode())
        return client.send(request)

    def _content(self) -> dict[str, Any]:
        if self.content is not None:
            return {"content": self.content}
        if self.form is not None or self.files:
            parts = [(name, (None, value)) for name, value in self.form or ()]
            return {"files": [*parts, *((name, (file, data)) for name, file, data in self.files)]}
        return {} if self.body is None else {"json": dict(self.body)}

    def fields(self, added: Mapping[str, Any]) -> Request:
        """With further fields in its body, of whichever kind that is."""
        if self.form is not None:
            return replace(self, form=(*self.form, *((name, _text(value)) for name, value in added.items())))
        return replace(self, body={**(self.body or {}), **added})

    def asked(self, *pairs: tuple[str, str]) -> Request:
        """With further query parameters."""
        return replace(self, query=(*self.query, *pairs))

    def headed(self, *pairs: tuple[str, str]) -> Request:
        """With further headers."""
        return replace(self, headers=(*self.headers, *pairs))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@dataclass(frozen=True, slots=True)
class Route:
    """A route: the `mode` of the handles that it serves, a request to one, and whether it streams."""

    mode: str
    make: Callable[[str], Request]
    streams: bool = False

    def request(self, handle: str, *, stream: bool = False) -> Request:
        """An ordinary request."""
        made = self.make(handle)
        if not stream:
            return made
        if "generateContent" in made.path:
            path = made.path.replace("generateContent", "streamGenerateContent")
            return replace(made, path=path).asked(("alt", "sse"))
        return made.fields({"stream": True})


def _json(path: str, **fields: object) -> Callable[[str], Request]:
    return lambda handle: Request("POST", path, {"model": handle, **fields})


def _form(path: str, part: str, file: str, **fields: str) -> Callable[[str], Request]:
    return lambda handle: Request(
        "POST", path, form=(("model", handle), *fields.items()), files=((part, file, PNG),)
    )


ROUTES: Mapping[str, Route] = {
    "chat": Route("chat", _json("/v1/chat/completions", messages=TEXT), streams=True),
    "completions": Route("chat", _json("/v1/completions", prompt="hello"), streams=True),
    "responses": Route("chat", _json("/v1/responses", input="hello"), streams=True),
    "messages": Route("chat", _json("/v1/messages", messages=TEXT, max_tokens=9), streams=True),
    "generate": Route(
        "chat",
        lambda handle: Request("POST", f"/v1beta/models/{handle}:generateContent", {"contents": CONTENTS}),
        streams=True,
    ),
    "interactions": Route("chat", _json("/v1beta/interactions", input="hello"), streams=True),
    "engines": Route(
        "chat", lambda handle: Request("POST", f"/engines/{handle}/chat/completions", {"messages": TEXT})
    ),
    "deployments": Route(
        "chat",
        lambda handle: Request("POST", f"/openai/deployments/{handle}/chat/completions", {"messages": TEXT}),
    ),
    "embeddings": Route("embed", _json("/v1/embeddings", input="hello")),
    "images": Route("image", _json("/v1/images/generations", prompt="hello")),
    "image edits": Route("image", _form("/v1/images/edits", "image", "x.png", prompt="hello")),
    "speech": Route("speech", _json("/v1/audio/speech", input="hello", voice="alloy")),
    "transcription": Route("transcription", _form("/v1/audio/transcriptions", "file", "x.wav")),
    "rerank": Route("rerank", _json("/v1/rerank", query="hello", documents=["hello"])),
    "moderations": Route("moderation", _json("/v1/moderations", input="hello")),
}
