"""
A backend to be killed: streams a word every 0.1 s and never ends.

    python -m tests.faults.dying PORT
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

CHUNK: Final[dict[str, Any]] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "real-box",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "word "}, "finish_reason": None}],
}


class Endless(BaseHTTPRequestHandler):
    """Serves a connection; a stream is chunked, so that its end differs from its break."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer that it is there."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        """Stream until it is killed or the client leaves."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            try:
                event = f"data: {json.dumps(CHUNK)}\n\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.1)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Endless).serve_forever()
