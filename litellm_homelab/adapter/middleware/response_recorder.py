"""What the client got, and when: looked at where it leaves, the same for every route and format."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from starlette.types import Message, Send

from litellm_homelab.adapter.fail_closed import log_and_continue

STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})
BODIES: Final = frozenset({"http.response.body", "websocket.http.response.body"})
ANSWERING: Final = ("content", "reasoning_content", "reasoning", "text", "tool_calls", "function_call")
"""Keys of a chunk's `delta` (chat), or of its choice (completions), that hold a part of the answer."""
PARTS: Final = ("text", "functionCall", "inlineData")
"""The same for a part of Gemini's content."""


class Watch:
    """An ASGI `send` that notes the status, a stream's first text, and whether the answer was complete."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.complete = False
        self.first_text_at: float | None = None

    async def __call__(self, message: Message) -> None:
        """Pass a message on; what is noted of it was given to the server."""
        await self._send(message)
        kind = message["type"]
        if kind in BODIES:
            self.complete = not message.get("more_body", False)
        elif kind in STARTS:
            self.status = message["status"]

    def divert(self, send: Send) -> Send:
        """Pass messages on to another `send` from now on; the one that they were passed to."""
        before, self._send = self._send, send
        return before

    def note(self, event: Mapping[str, Any]) -> None:
        """Note an event of a stream that is about to be sent: the time of the first that holds text."""
        if self.first_text_at is None:
            with log_and_continue("metrics"):
                if has_text(event):
                    self.first_text_at = time.monotonic()


def has_text(event: Mapping[str, Any]) -> bool:
    """
    Whether an event of a stream holds a part of the answer, tool calls and reasoning among them.

    OpenAI's chat, completions and responses, Anthropic's messages and Gemini's contents are known; the
    first chunk of most streams only says who speaks.
    """
    if str(event.get("type", "")).endswith("delta"):  # response.output_text.delta, content_block_delta
        return bool(event.get("delta"))
    return any(_said(choice) for choice in _items(event, "choices")) or any(
        any(part.get(name) for name in PARTS)
        for candidate in _items(event, "candidates")
        for part in _items(candidate.get("content"), "parts")
    )


def _said(choice: Mapping[str, Any]) -> bool:
    delta = choice.get("delta")
    places = (choice, delta if isinstance(delta, Mapping) else {})
    return any(place.get(name) for place in places for name in ANSWERING)


def _items(holder: object, name: str) -> Iterator[Mapping[str, Any]]:
    found = holder.get(name) if isinstance(holder, Mapping) else None
    return (one for one in found if isinstance(one, Mapping)) if isinstance(found, list) else iter(())
