"""The verdict on a root is what its client gets, whatever LiteLLM makes of it."""

from __future__ import annotations

from starlette.types import Message, Send

from litellm_homelab.decision import Refuse
from litellm_homelab.hooks import refusal
from litellm_homelab.hooks.context import Record
from litellm_homelab.hooks.messages import is_event_stream

OF_THE_BODY = frozenset({b"content-type", b"content-length", b"transfer-encoding", b"cache-control"})
"""Headers that belong to the body that is replaced."""
FAILED = 400
RETRIED = 500
"""Statuses from here on are retried by the OpenAI and Anthropic SDKs, unless a header says otherwise."""


class LastWord:
    """
    An ASGI `send` that puts a root's verdict in the place of an answer with a 200, or of an event stream.

    On a stream of `/v1/responses` LiteLLM turns whatever a hook raises into an event after a 200; on
    `/v1/messages`, `/v1/completions`, Gemini's routes, and before a stream's first chunk it drops the headers
    of an exception, so that SDKs ask twice more (measured on 1.106.2).
    """

    def __init__(self, record: Record, send: Send) -> None:
        self._record = record
        self._send = send
        self._replaced = False

    async def __call__(self, message: Message) -> None:
        """Pass on a message of the answer, or what stands in its place."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._replaced:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        verdict = self._record.root.verdict if self._record.root else None
        if verdict is not None and (message["status"] < FAILED or is_event_stream(message)):
            await self._replace(message, verdict)
            return
        own = verdict or self._record.refusal
        if own is not None and message["status"] >= RETRIED:
            message["headers"] = _with(message, own)
        await self._send(message)

    async def _replace(self, message: Message, verdict: Refuse) -> None:
        self._replaced = True
        answer = refusal.response(verdict)
        kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in OF_THE_BODY]
        headers = [*kept, *answer.raw_headers]
        await self._send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body})


def _with(message: Message, own: Refuse) -> list[tuple[bytes, bytes]]:
    headers = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    added = [(name.encode(), value.encode()) for name, value in own.headers.items()]
    return headers + [pair for pair in added if pair[0] not in present]
