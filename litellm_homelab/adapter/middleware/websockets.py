"""Bounds the messages of a websocket, as `Body` bounds the bodies of requests."""

from __future__ import annotations

from typing import Final

from starlette.types import Message, Receive, Send

TOO_BIG: Final = 1009
"""Close code of a message that is too large (RFC 6455, section 7.4.1)."""


def bounded(receive: Receive, send: Send, limit: int) -> Receive:
    """
    A `receive` that closes the connection at the first message of more than `limit` bytes.

    uvicorn closes it by itself at 16 MB (`ws_max_size`, its default, which LiteLLM 1.106.2 keeps), and reads
    no further while 32 messages wait (`ws_max_queue`). All of LiteLLM's websockets are closed to clients
    unless `homelab.gate.open` names one.
    """

    async def receiving() -> Message:
        message = await receive()
        if _size(message) <= limit:
            return message
        await send({"type": "websocket.close", "code": TOO_BIG, "reason": "the message is too large"})
        return {"type": "websocket.disconnect", "code": TOO_BIG}

    return receiving


def _size(message: Message) -> int:
    text = message.get("text")
    return len(text.encode()) if isinstance(text, str) else len(message.get("bytes") or b"")
