"""An HTTP server that answers as `/homelab.json` does, or in a way of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from litellm_homelab.page import model
from litellm_homelab.page.facts import Facts
from tests.page import sample
from tests.probe.listening import listening

KEY = "sk-of-the-test-0123456789"


def view(**changed: object) -> dict[str, Any]:
    """What a gateway with these facts says."""
    facts: Facts = sample.facts(**changed)
    found: dict[str, Any] = orjson.loads(orjson.dumps(model.view(facts)))
    return found


@dataclass
class FakeGateway:
    """What it answers, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"etag": '"one"'})
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """(path with its query, headers in lower case) of each request."""

    def says(self, found: object, etag: str = '"one"') -> None:
        """Answer with a document."""
        self.body, self.headers = orjson.dumps(found), {"etag": etag}


@contextmanager
def running() -> Iterator[FakeGateway]:
    """It listens on a free port of this machine; its first answer is that of the sample."""
    gateway = FakeGateway()
    gateway.says(view())

    def answer(request: httpx.Request) -> httpx.Response:
        headers = dict(request.headers)
        path = request.url.raw_path.decode()
        gateway.asked.append((path, headers))
        is_known = gateway.status == 200 and headers.get("if-none-match") == gateway.headers.get("etag")
        status, body = (304, b"") if is_known else (gateway.status, gateway.body)
        return httpx.Response(status, headers=gateway.headers, content=body)

    with listening(answer) as gateway.url:
        yield gateway
