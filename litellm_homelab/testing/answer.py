"""What a client got, and what the upstreams were sent for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from litellm_homelab.demo.recorder import RecordedRequest

DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the gateway."""

    response: httpx.Response
    calls: tuple[RecordedRequest, ...]
    """The calls to upstreams that this request led to, in order."""

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.response.status_code

    @property
    def text(self) -> str:
        """The whole body."""
        return self.response.text

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """The body as JSON."""
        return self.response.json()

    @property
    def events(self) -> list[Any]:
        """The JSON of every event of a streamed answer, `[DONE]` left out."""
        lines = (line.removeprefix("data:").strip() for line in self.text.splitlines() if line[:5] == "data:")
        return [json.loads(line) for line in lines if line != DONE]

    @property
    def error(self) -> dict[str, Any]:
        """The `error` object of a refusal or failure; empty where there is none."""
        found = self.json.get("error") if self.status >= 400 else None
        return found if isinstance(found, dict) else {}

    @property
    def sent_to(self) -> list[str]:
        """The model groups whose upstreams were called, in order, retries included."""
        return [call.backend for call in self.calls]

    @property
    def wire(self) -> list[Any]:
        """The JSON bodies that the upstreams were sent, in order."""
        return [call.json for call in self.calls]
