"""
An answer in events: each is rewritten as it passes, the model's name in it too (`answers/shapes.py`).

An error that comes before anything else becomes an ordinary error response.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from starlette.types import Message, Send

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.middleware.answer_whole import BODY, FAILED, answer
from litellm_homelab.adapter.outcome import FinalError
from litellm_homelab.answers import documented, errors
from litellm_homelab.answers.rewriting import Rewriting, as_answer, error_event
from litellm_homelab.formats import sse

OF_A_STREAM: Final = frozenset({b"content-type", b"cache-control", b"x-accel-buffering"})
OPENING: Final = frozenset({"message_start", "ping"})
"""Events of /v1/messages that LiteLLM sends before it has asked the upstream for anything (1.106.2)."""
FAILED_RESPONSE: Final = "response.failed"
TYPED: Final = b'data: {"type":"'
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
        record: RequestContext,
    ) -> None:
        self._settled = settled
        self._record = record
        self._stream = documented.Stream() if rewriting.answers.style == "responses" else None
        self._extra: list[dict[str, Any]] = []
        self._held = b""
        self._opened = False
        self._start: Message | None = start
        self._rewriting = rewriting
        self._send = send
        self._note = note
        self._frames = sse.Rewriter(self._event, rewriting.view.clean)
        self._first: Mapping[str, Any] | None = None
        """The first event that says something, opening ones aside."""
        self._over = False

    async def __call__(self, message: Message) -> None:
        """Pass on what a part of the body completes."""
        if message["type"] != BODY:
            await self._send(message)
        elif not self._over:
            began = time.perf_counter()
            body, more = self._rewritten(message.get("body", b""), more=message.get("more_body", False))
            self._record.stats.add("stream", time.perf_counter() - began)
            await self._pass(body, more=more)

    def _rewritten(self, chunk: bytes, *, more: bool) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        try:
            for frame in self._frames.feed(chunk):
                self._put(parts, frame)
            if not more:
                self._put(parts, self._frames.flush())
        except sse.FrameTooLong as error:
            broken("answers", error)
            parts.append(error_event(self._rewriting.answers.style, TOO_LONG))
            self._over, more = True, False
        return b"".join(parts), more

    def _put(self, parts: list[bytes], frame: bytes) -> None:
        """Add a frame to what is sent; one of /v1/responses with what should have come before it."""
        if self._stream is None:
            parts.append(frame)
        else:
            parts += (*self._inserted(), self._named(frame))

    def _event(self, body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        new = self._rewriting.event(body)
        if isinstance(new, dict):
            if self._first is None:
                if new.get("type") in OPENING:
                    self._opened = True
                else:
                    self._first = new
            if self._stream is not None and isinstance(new.get("type"), str):
                *self._extra, new = self._stream.events(new)
                for one in self._extra:
                    self._note(one)
            self._note(new)
        return new

    def _inserted(self) -> Iterator[bytes]:
        """Frames of events that should have come before the one that was just read."""
        extra, self._extra = self._extra, []
        for event in extra:
            yield self._named(b"data: " + sse.written(event) + b"\n\n")

    def _named(self, frame: bytes) -> bytes:
        """A frame of /v1/responses with the name of its event, as OpenAI sends it; LiteLLM leaves it out."""
        if not frame.startswith(TYPED):
            return frame
        return b"event: " + frame[len(TYPED) :].partition(b'"')[0] + b"\n" + frame

    async def _pass(self, body: bytes, *, more: bool) -> None:
        if self._start is not None:
            body = self._held + body
            if more and self._first is None and (self._opened or not _says(body)):
                self._held = body
                return  # no event is complete yet, or only those that LiteLLM makes up
            start, self._start = self._start, None
            if self._first is not None and _failed(self._first) and not self._settled():
                await self._failed(start, self._first)
                return
            await self._send(start)
        if body or not more:
            await self._send({"type": BODY, "body": body, "more_body": more})

    async def _failed(self, start: Message, event: Mapping[str, Any]) -> None:
        self._over = True
        style, told = self._rewriting.answers.style, self._record.outcome.told
        said = event.get("response", event) if event.get("type") == FAILED_RESPONSE else event
        status = start["status"] if start["status"] >= FAILED else errors.status_of(said)
        body = as_answer(style, said)
        if told is not None and not self._rewriting.is_own(said):
            status, body = told.status, FinalError.told(told).body(style)
        kept = [pair for pair in start["headers"] if pair[0].lower() not in OF_A_STREAM]
        kept.append((b"content-type", b"application/json"))
        await answer(self._send, {**start, "status": status, "headers": kept}, sse.written(body))


def _says(body: bytes) -> bool:
    """Whether there is anything to send besides the traces of events that were removed."""
    return bool(body.replace(sse.UNREADABLE, b"").strip())


def _failed(event: Mapping[str, Any]) -> bool:
    return errors.is_error(event) or event.get("type") == FAILED_RESPONSE
