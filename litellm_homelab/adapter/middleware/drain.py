"""Answers a request whose body is still on its way, so that its client hears the answer."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Send

SECONDS: Final = 30.0
"""Longest time for which the rest of a body is read; nginx's `lingering_time`."""
SILENCE: Final = 5.0
"""Longest time to wait for the next piece of it; nginx's `lingering_timeout`."""
BODIES: Final = 4
"""
The rest is read up to this many bodies of the size limit.

Nginx knows no such bound; but on a fast network thirty seconds are gigabytes, and a worker reads in the one
thread in which it serves. A body four times too large may be a mistake; what is larger still is not.
"""


async def answer(response: Response, receive: Receive, send: Send, limit: int) -> None:
    """
    Send an answer, read on for a while, and only then end it.

    A server that closes while its client is still sending resets the connection, and the client may lose
    the answer (RFC 9112, section 9.6); most clients send to the end before they listen. `limit` is in
    bytes. A client that reads immediately has the whole answer before any of the rest is read.
    """
    await send(
        {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    )
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await _rest(receive, BODIES * limit)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _rest(receive: Receive, most: int) -> None:
    more = True
    while more and most >= 0:
        async with asyncio.timeout(SILENCE):
            message = await receive()
        most -= len(message.get("body", b""))
        more = message.get("more_body", False)  # no such key where the client has left
