"""An answer in events: each rewritten as it passes; an error that comes before anything else is no stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.types import Message, Send

from litellm_homelab.answers import errors
from litellm_homelab.answers.rewriting import Rewriting, as_answer, error_event
from litellm_homelab.hooks.answer_whole import BODY, FAILED, answer
from litellm_homelab.hooks.closed import broken
from litellm_homelab.hooks.metering import timing
from litellm_homelab.showroom import sse

OF_A_STREAM: Final = frozenset({b"content-type", b"cache-control", b"x-accel-buffering"})
TOO_LONG: Final = "The upstream sent an event that is too long, so the stream ends here."


class Events:
    """
    An ASGI `send` for the body of an event stream.

    The start is held until the first event: LiteLLM answers some errors as a `text/event-stream` with a
    status
    of 500, or as a 200 whose first event is the error, in which the SDKs find neither code nor text
    (1.106.2).
    """

    def __init__(
        self,
        start: Message,
        rewriting: Rewriting,
        send: Send,
        note: Callable[[Mapping[str, Any]], None],
        settled: Callable[[], bool],
    ) -> None:
        self._settled = settled
        self._start: Message | None = start
        self._rewriting = rewriting
        self._send = send
        self._note = note
        self._frames = sse.Rewriter(self._event, rewriting.view.clean)
        self._first: Mapping[str, Any] | None = None
        self._over = False

    async def __call__(self, message: Message) -> None:
        """Pass on what a part of the body completes."""
        if message["type"] != BODY:
            await self._send(message)
        elif not self._over:
            with timing("stream"):
                body, more = self._rewritten(message.get("body", b""), more=message.get("more_body", False))
            await self._pass(body, more=more)

    def _rewritten(self, chunk: bytes, *, more: bool) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        try:
            parts.extend(self._frames.feed(chunk))
            if not more:
                parts.append(self._frames.flush())
        except sse.FrameTooLong as error:
            broken("answers", error)
            parts.append(error_event(self._rewriting.answers.style, TOO_LONG))
            self._over, more = True, False
        return b"".join(parts), more

    def _event(self, body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        new = self._rewriting.event(body)
        if isinstance(new, Mapping):
            if self._first is None:
                self._first = new
            self._note(new)
        return new

    async def _pass(self, body: bytes, *, more: bool) -> None:
        if self._start is not None:
            if not body and more:
                return  # no event is complete yet
            start, self._start = self._start, None
            if self._first is not None and errors.is_error(self._first) and not self._settled():
                await self._failed(start, self._first)
                return
            await self._send(start)
        if body or not more:
            await self._send({"type": BODY, "body": body, "more_body": more})

    async def _failed(self, start: Message, event: Mapping[str, Any]) -> None:
        self._over = True
        status = start["status"] if start["status"] >= FAILED else errors.status_of(event)
        kept = [pair for pair in start["headers"] if pair[0].lower() not in OF_A_STREAM]
        kept.append((b"content-type", b"application/json"))
        body = as_answer(self._rewriting.answers.style, event)
        await answer(self._send, {**start, "status": status, "headers": kept}, sse.written(body))
