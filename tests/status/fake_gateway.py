"""An HTTP server that answers as `/homelab.json` does, or in a way of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from litellm_homelab.page import model
from litellm_homelab.page.facts import Facts
from tests.page import sample

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

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            gateway.asked.append((self.path, headers))
            is_known = gateway.status == 200 and headers.get("if-none-match") == gateway.headers.get("etag")
            status, body = (304, b"") if is_known else (gateway.status, gateway.body)
            self.send_response(status)
            for name, value in gateway.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is named there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        gateway.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield gateway
        finally:
            server.shutdown()
            thread.join()
