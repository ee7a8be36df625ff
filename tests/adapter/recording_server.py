"""A server on 127.0.0.1 that remembers what it was sent and refuses everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Recording:
    """Where it listens, and each request's headers and body as one text."""

    url: str
    requests: list[str] = field(default_factory=list)


@contextmanager
def recording_server() -> Iterator[Recording]:
    """Run one until the block ends."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            requests.append(f"{self.path}\n{self.headers}\n{body.decode(errors='replace')}")
            self.send_response(400)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"error": {"message": "no"}}')

        do_GET = do_POST  # noqa: N815 - the names that http.server looks for

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Recording(f"http://127.0.0.1:{server.server_address[1]}/v1", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
