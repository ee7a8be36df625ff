"""Stands in for the `litellm` program where `up` is tested: a port, two routes, and ways to go wrong.

`FAKE_LITELLM` chooses: empty (works), `dies` (a failed start), `refuses` (no listing), `silent` (never up).
"""

from __future__ import annotations

import http.server
import json
import os
import sys
import time
from pathlib import Path

LISTING = {"data": [{"id": "main"}, {"id": "fast"}]}


class Handler(http.server.BaseHTTPRequestHandler):
    """Liveliness for everyone, the models for the master key."""

    def do_GET(self) -> None:
        """Answer the two routes that `up` asks for."""
        key = f"Bearer {os.environ['LITELLM_MASTER_KEY']}"
        allowed = self.path == "/health/liveliness" or self.headers["Authorization"] == key
        refused = os.environ.get("FAKE_LITELLM") == "refuses" and self.path == "/v1/models"
        self.send_response(401 if refused or not allowed else 200)
        self.end_headers()
        self.wfile.write(json.dumps(LISTING).encode())


def main() -> None:
    """Serve on `--port`, as `litellm` does."""
    behaviour = os.environ.get("FAKE_LITELLM", "")
    if behaviour == "dies":
        print(json.dumps({"message": "SettingsError: router.yaml: homelab.showroom.handles[0]: wrong"}))
        sys.exit(3)
    if behaviour == "silent":
        time.sleep(60)
    if notice := os.environ.get("FAKE_LITELLM_LOGS"):
        print(json.dumps({"message": f"homelab: {notice}"}), flush=True)
    samples = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or ".")
    samples.joinpath("counter_1.db").touch()
    print(f"samples: {samples}", flush=True)
    port = int(sys.argv[sys.argv.index("--port") + 1])
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
