"""Requests that clients send by default: recorded from the real ones, written anew with neutral values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
METHODS = ("GET", "POST")
GENERATE = ":generateContent"
GENERATE_STREAM = ":streamGenerateContent"


@dataclass(frozen=True, slots=True)
class Recorded:
    """
    One request of a client: its `client` and name in `id`, and what it sends, without a key.

    `key_header` is where the client puts its key. A multipart request has `form` and `files` (name, type)
    in the place of `body`; a field of `form` with several values is a list.

    `dropped` are the fields, dotted where nested, of which nothing reaches the backend of `main` as shipped.
    `status` is not 200 where LiteLLM has no such route; the file says so in a comment.
    """

    id: str
    method: str
    path: str
    key_header: str
    headers: dict[str, str]
    body: dict[str, Any] | None = None
    form: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    status: int = 200

    @property
    def streams(self) -> bool:
        """Whether the client asks for a stream."""
        return bool((self.body or {}).get("stream")) or GENERATE_STREAM in self.path

    def streamed(self) -> Recorded:
        """Return the same request, for a stream."""
        if GENERATE in self.path:
            return replace(self, path=self.path.replace(GENERATE, GENERATE_STREAM) + "?alt=sse")
        return replace(self, body={**(self.body or {}), "stream": True})

    def arguments(self, key: str) -> dict[str, Any]:
        """Return what httpx needs to send it with `key`."""
        credential = f"Bearer {key}" if self.key_header == "authorization" else key
        sent: dict[str, Any] = {"headers": {**self.headers, self.key_header: credential}}
        if self.body is not None:
            return sent | {"json": self.body}
        if self.files:
            sent |= {"data": self.form}
            sent |= {
                "files": {name: (one["name"], b"RIFF....", one["type"]) for name, one in self.files.items()}
            }
        return sent


def load(folder: Path = FOLDER) -> list[Recorded]:
    """Return the requests of every `*.yaml` file, in the order of the files' names."""
    return [request for file in sorted(folder.glob("*.yaml")) for request in _requests(file)]


def _requests(file: Path) -> Iterator[Recorded]:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    for one in document["requests"]:
        method = next(verb for verb in METHODS if verb in one)
        yield Recorded(
            id=f"{document['client']}/{one['id']}",
            method=method,
            path=one[method],
            key_header=one.get("key", document["key"]),
            headers={**document["headers"], **one.get("headers", {})},
            body=one.get("body"),
            form=one.get("form", {}),
            files=one.get("files", {}),
            dropped=tuple(one.get("dropped", ())),
            status=one.get("status", 200),
        )
