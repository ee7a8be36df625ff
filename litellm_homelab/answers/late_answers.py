"""An answer in one piece as the events of a stream that has begun: its status is a 200 by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litellm_homelab.answers.rewriting import BROKEN, error_event, error_object
from litellm_homelab.formats import sse

DONE: Final = b"data: [DONE]\n\n"
FAILED: Final = 400
UNREADABLE: Final = "The request failed with status %d."


def events(style: str, status: int, body: bytes) -> bytes:
    """
    The events that say what an answer of this status and body says, in a route's format.

    An error is `event: error` on messages and responses, and `data: {"error": ...}` elsewhere. `[DONE]` ends
    the streams of chat and completions. The SDKs of OpenAI and Anthropic raise from each (measured with
    openai 3.57.0 and anthropic 2.11.0 on 2026-11-26).
    """
    said = _read(body)
    if status < FAILED:
        event = b"data: " + sse.written(said) + b"\n\n"
    elif isinstance(said, Mapping) and "error" in said:
        event = _error(style, said)
    else:
        event = error_event(style, UNREADABLE % status)
    return event + (DONE if style == "openai" else b"")


def _read(body: bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    try:
        return sse.read(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _error(style: str, body: Mapping[str, Any]) -> bytes:
    if style == "anthropic":
        return b"event: error\ndata: " + sse.written({"type": "error", **body}) + b"\n\n"
    if style != "responses":
        return b"data: " + sse.written(body) + b"\n\n"
    return b"event: error\ndata: " + sse.written(_of_responses(body["error"])) + b"\n\n"


def _of_responses(error: object) -> dict[str, Any]:
    """
    OpenAI's documented event, and the object `error` in it.

    OpenAI's SDK raises only where there is such an object; else it hands the event to the caller.
    """
    inner = error if isinstance(error, Mapping) else error_object("responses", str(error))["error"]
    code, message = inner.get("type") or BROKEN, inner.get("message")
    event = {"type": "error", "sequence_number": 0, "code": code, "message": message}
    return {**event, "param": inner.get("param"), "error": dict(inner)}
