"""What every backend received: one bounded, in-memory list that all of them share."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import Headers

PROBES: Final = "litellm-homelab"
"""The user agent of a gateway's probes."""


@dataclass(slots=True, eq=False)
class RecordedRequest:
    """One request as it arrived; ``number`` counts up over all backends and is never reused.

    ``headers`` keeps duplicates (``getlist``) and the authorization header: it is a demo.
    ``disconnected`` turns true when the client left before the answer was complete.
    """

    number: int
    backend: str
    method: str
    path: str
    query: str
    headers: Headers
    content: bytes
    disconnected: bool = False

    @property
    def is_probe(self) -> bool:
        """Whether a gateway only looked whether the backend is there; its requests for models are no GET."""
        return self.method == "GET" and self.headers.get("user-agent") == PROBES

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever a client sent
        """The body as JSON, or None where it is empty or not JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    def as_dict(self) -> dict[str, Any]:
        """The request as the control port shows it; duplicate headers are joined by a comma."""
        names = dict.fromkeys(self.headers.keys())
        return {
            "number": self.number,
            "backend": self.backend,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": {name: ", ".join(self.headers.getlist(name)) for name in names},
            "body": self.json,
            "disconnected": self.disconnected,
        }


class Recorder:
    """Keeps the last ``max_requests`` requests, of at most ``max_bytes`` of bodies together."""

    def __init__(self, max_requests: int = 10_000, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._bytes = 0
        self._last_number = 0
        self._requests: deque[RecordedRequest] = deque()

    def record(
        self, backend: str, method: str, path: str, query: str, headers: Headers, content: bytes
    ) -> RecordedRequest:
        """Add a request, forgetting the oldest ones as needed."""
        self._last_number += 1
        request = RecordedRequest(self._last_number, backend, method, path, query, headers, content)
        self._requests.append(request)
        self._bytes += len(content)
        while len(self._requests) > self._max_requests or self._bytes > self._max_bytes:
            self._bytes -= len(self._requests.popleft().content)
        return request

    def requests(self, backend: str | None = None, *, probes: bool = False) -> list[RecordedRequest]:
        """The kept requests, oldest first, of one backend or of all; probes of a gateway where asked for."""
        return [
            one
            for one in list(self._requests)
            if backend in (None, one.backend) and (probes or not one.is_probe)
        ]

    def clear(self) -> None:
        """Forget every request; numbers go on counting."""
        self._requests.clear()
        self._bytes = 0
