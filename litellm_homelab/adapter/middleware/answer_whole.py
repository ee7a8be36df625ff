"""An answer in one piece: held until it is complete, then rewritten."""

from __future__ import annotations

import functools
import gzip
import sys
from typing import Final

from starlette.types import Message, Send

from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.recording import timing
from litellm_homelab.answers.rewriting import Rewriting, error_object
from litellm_homelab.formats import header_pairs, sse

BODY: Final = "http.response.body"
FAILED: Final = 400
LEVEL: Final = 5
"""How hard to compress, from 1 to 9: as LiteLLM's middleware has done before (it is inside of this one)."""
UNREADABLE: Final = "The upstream's answer could not be read, so it was not passed on."


class Whole:
    """An ASGI `send` for the body of a JSON answer, or of an error that is text."""

    def __init__(self, start: Message, rewriting: Rewriting, send: Send, *, is_text: bool) -> None:
        self._start = start
        self._rewriting = rewriting
        self._send = send
        self._is_text = is_text
        self._held = bytearray()
        length = _header(start, b"content-length")
        self._length = int(length) if length.isdigit() else sys.maxsize
        self._sent = False

    async def __call__(self, message: Message) -> None:
        """Hold a part of the body; with the last one, send the whole."""
        if message["type"] != BODY:
            await self._send(message)
            return
        more = message.get("more_body", False)
        if self._sent:  # a refusal is complete before the request is: see `linger`
            await self._send({"type": BODY, "body": b"", "more_body": more})
            return
        self._held += message.get("body", b"")
        if more and len(self._held) < self._length:
            return
        self._sent = True
        await self._answer(more=more)

    async def _answer(self, *, more: bool) -> None:
        packed = _header(self._start, b"content-encoding") == b"gzip"
        with timing("stream"):
            raw = gzip.decompress(self._held) if packed else bytes(self._held)
            status, body = self._rewritten(self._start["status"], raw)
            body = gzip.compress(body, LEVEL) if packed else body
        await answer(self._send, {**self._start, "status": status}, body, more=more)

    def _rewritten(self, status: int, raw: bytes) -> tuple[int, bytes]:
        if not raw:
            return status, raw
        if self._is_text:
            return status, self._rewriting.view.clean(raw.decode("utf-8", "replace")).encode()
        try:
            body = sse.read(raw.decode("utf-8", "surrogatepass"))
            rewriting = self._rewriting
            changed = rewriting.failed(body, status) if status >= FAILED else rewriting.whole(body)
            return status, sse.written(changed)
        except (ValueError, RecursionError) as error:
            broken("answers", error)
            failed = error_object(self._rewriting.answers.style, UNREADABLE)
            return max(status, 502), sse.written(failed)


@functools.lru_cache(maxsize=256)
def _says_no_length(name: bytes) -> bool:
    """Whether a header says nothing of the length of a body; answers have the same few."""
    return name.lower() not in {b"content-length", b"transfer-encoding"}


def _header(start: Message, wanted: bytes) -> bytes:
    return header_pairs.first(start["headers"], wanted)


async def answer(send: Send, start: Message, body: bytes, *, more: bool = False) -> None:
    """Send an answer in one piece."""
    kept = header_pairs.those(start["headers"], _says_no_length)
    length = (b"content-length", str(len(body)).encode())
    await send({**start, "headers": [*kept, length]})
    await send({"type": BODY, "body": body, "more_body": more})
