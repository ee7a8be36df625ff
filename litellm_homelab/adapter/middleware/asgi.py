"""ASGI messages: what several of our wrappers ask of them."""

from __future__ import annotations

from starlette.types import Message

EVENT_STREAM = b"text/event-stream"


def is_event_stream(start: Message) -> bool:
    """Whether an answer is server-sent events, by the message that starts it."""
    for name, value in start.get("headers", ()):
        if name.lower() == b"content-type":
            return bytes(value).startswith(EVENT_STREAM)
    return False
