"""
An upstream that costs next to nothing: every POST gets the same chat completion.

    python -m bench.upstream PORT

As little as HTTP/1.1 needs, so that neither its time nor its noise is in what is measured; no test double
for anything else.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Mapping
from typing import Final

HOST: Final = "127.0.0.1"
LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
END: Final = b"\r\n\r\n"
ANSWER: Final = {
    "id": "chatcmpl-benchmark",
    "object": "chat.completion",
    "created": 1,
    "model": "real-main",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "The same as ever."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 200, "completion_tokens": 5, "total_tokens": 205},
}


def answer(content: Mapping[str, object] = ANSWER) -> bytes:
    """The one answer, with its head."""
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Same(asyncio.Protocol):
    """One connection: waits for a whole request, sends the answer, waits for the next one."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self._held = bytearray()
        self._whole: int | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are written to."""
        self._transport = transport  # type: ignore[assignment]  # a TCP connection's can be written to

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._held += data
        while self._complete():
            self.send()

    def send(self) -> None:
        """Send the answer."""
        if self._transport is not None:
            self._transport.write(self._said)

    def _complete(self) -> bool:
        """Take one whole request off what is held, if it is there."""
        if self._whole is None:
            end = self._held.find(END)
            if end < 0:
                return False
            length = LENGTH.search(self._held, 0, end)
            self._whole = end + len(END) + (int(length[1]) if length else 0)
        if len(self._held) < self._whole:
            return False
        del self._held[: self._whole]
        self._whole = None
        return True


async def serve(port: int, connection: Callable[[], Same]) -> None:
    """Listen until the process is ended; `connection` makes what answers on one."""
    server = await asyncio.get_running_loop().create_server(connection, HOST, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), lambda: Same(answer())))
