"""What leaves for the client: the one place where every answer of every route is rewritten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from starlette.types import Message, Send

from litellm_homelab.access.table import Access, access, reviewed
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import usage
from litellm_homelab.adapter.middleware.answer_events import Events
from litellm_homelab.adapter.middleware.answer_whole import Whole
from litellm_homelab.answers import headers
from litellm_homelab.answers.rewriting import Rewriting
from litellm_homelab.answers.routes import AnswerShape, answers_of
from litellm_homelab.answers.shapes import View, content
from litellm_homelab.formats import header_pairs

STARTS: Final = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
"""ASGI messages that carry response headers."""
FAILED: Final = 400
JSON: Final = ("application/json", "application/problem+json")
EVENTS: Final = "text/event-stream"
TEXTS: Final = ("text/plain", "text/html")
DEFAULT: Final = AnswerShape("openai", content, content)
"""A route that is on no list, such as one of `homelab.gate.open`: its errors are cleaned, its answers
pass."""
OTHERS: Final = frozenset({Access.MANAGEMENT, Access.KEYLESS, Access.OPEN, Access.METRICS})
"""Routes whose answers are the gateway's own."""

Note = Callable[[Mapping[str, Any]], None]
"""Is given each event of a stream."""


class AnswerFilter:
    """
    An ASGI `send` that keeps what names an upstream out of headers, bodies, events and errors.

    It is outside of LiteLLM, so that LiteLLM parses, accounts for and logs what the upstream said, and
    no route and no path of LiteLLM's that calls no hook is an exception.
    """

    def __init__(self, record: RequestContext, send: Send, scrub: Callable[[str], str], note: Note) -> None:
        self._record = record
        self._send = send
        self._scrub = scrub
        self._note = note
        self._rest: Send = send

    async def __call__(self, message: Message) -> None:
        """Pass on a message of an answer, rewritten where it came from an upstream, or may have."""
        if message["type"] not in STARTS:
            await self._rest(message)
            return
        pairs = message.get("headers", ())
        route = self._record.route
        answers = answers_of(route.path if route else self._record.path)
        if answers is None and route is not None and access(route, reviewed()) in OTHERS:
            await self._send({**message, "headers": headers.of_the_gateway(pairs)})
            return
        await self._begin({**message, "headers": headers.of_a_model(pairs)}, answers or DEFAULT)

    async def _begin(self, start: Message, answers: AnswerShape) -> None:
        kind, failed = _kind(start), start.get("status", 200) >= FAILED
        if kind == EVENTS:
            rewriting = self._rewriting(answers)
            self._rest = Events(start, rewriting, self._send, self._note, self._settled, self._record)
        elif kind in JSON or (failed and kind in TEXTS):
            self._rest = Whole(start, self._rewriting(answers), self._send, is_text=kind in TEXTS)
        else:
            await self._send(start)

    def _settled(self) -> bool:
        """Whether a root's outcome will take the place of the stream (`LastWord`)."""
        return self._record.outcome.for_client(is_answer=True) is not None

    def _rewriting(self, answers: AnswerShape) -> Rewriting:
        record = self._record
        handle = record.asked or record.model
        mend = partial(usage.mended_body, root=record.root) if record.root is not None else None
        view = View(handle, self._scrub)
        return Rewriting(answers, view, record.outcome.is_own, guardrail=record.guardrail, mend=mend)


def _kind(start: Message) -> str:
    kind = header_pairs.first(start.get("headers", ()), b"content-type")
    return kind.decode("latin-1").partition(";")[0].strip().lower()
