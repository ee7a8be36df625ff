"""An answer rewritten for its client: bodies, events and errors of one route."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.answers import errors
from litellm_homelab.answers.error_format import in_format
from litellm_homelab.answers.routes import AnswerShape
from litellm_homelab.answers.shapes import DROPPED, View

BROKEN: Final = "internal_server_error"
"""The type that LiteLLM gives to an error of status 500 and above (1.106.2)."""


@dataclass(slots=True)
class Rewriting:
    """
    What becomes of the JSON of one answer.

    `own` says whether a text is a refusal of this gateway, which passes as it is; `guardrail` that the
    error is
    one that an operator's guardrail raised with a mapping of its own; `mend` puts the sum of a root's
    calls in the place of what OptiLLM says that it used.
    """

    answers: AnswerShape
    view: View
    own: Callable[[str], bool] = lambda _: False
    guardrail: bool = False
    mend: Callable[[Any], Any] | None = None

    def whole(self, body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        """An answer in one piece."""
        changed = self.answers.whole(body, self.view)
        return None if changed is DROPPED else changed

    def event(self, body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        """One event of a stream, an error among them."""
        if isinstance(body, dict) and ("error" in body or "type" in body) and errors.is_error(body):
            return self.failed(body)
        changed = self.answers.event(body if self.mend is None else self.mend(body), self.view)
        return None if changed is DROPPED else changed

    def failed(self, body: Any, status: int | None = None) -> Any:  # noqa: ANN401 - JSON of any shape
        """The body of an error, in the route's format where its `status` is known; an event has none."""
        if self.guardrail and not self.is_own(body):
            return errors.own_detail(body, self.view)
        clean = body if self.is_own(body) else errors.shown(body, self.view)
        return clean if status is None else in_format(self.answers.style, status, clean)

    def is_own(self, body: Any) -> bool:  # noqa: ANN401 - JSON of any shape
        """Whether an error is a refusal of this gateway."""
        inner = body.get("error") if isinstance(body, Mapping) else None
        said = inner.get("message") if isinstance(inner, Mapping) else None
        return isinstance(said, str) and self.own(said)


def error_object(style: str, message: str) -> dict[str, Any]:
    """An error of this gateway's in the shape of a route's format."""
    if style == "anthropic":
        return {"type": "error", "error": {"type": "api_error", "message": message}}
    if style == "google":
        return {"error": {"code": 502, "message": message, "status": "INTERNAL"}}
    return {"error": {"message": message, "type": BROKEN, "param": None, "code": "502"}}


def error_event(style: str, message: str) -> bytes:
    """The last event of a stream that cannot continue, in the shape of a route's format."""
    if style == "responses":
        body: dict[str, Any] = {"type": "error", "code": BROKEN, "message": message, "param": None}
    else:
        body = error_object(style, message)
    name = b"event: error\n" if style in {"anthropic", "responses"} else b""
    return name + b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def as_answer(style: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON error that says what an error event says, for a stream that has sent nothing yet."""
    if style == "anthropic" or isinstance(event.get("error"), Mapping):
        return {
            key: value
            for key, value in event.items()
            if key != "sequence_number" and key in {"error", "type"}
        }
    said = event if "message" in event else {"message": event.get("error")}
    kind, code = said.get("type"), said.get("code")
    return {
        "error": {
            "message": said.get("message"),
            "type": kind if kind not in {None, "error"} else BROKEN,
            "param": said.get("param"),
            "code": code,
        }
    }
