"""Around LiteLLM's ASGI app: what no hook can do."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from litellm_homelab import refusals
from litellm_homelab.access import limits
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import exceptions, hop_header
from litellm_homelab.adapter.middleware import cors, listing, websockets
from litellm_homelab.adapter.middleware.answer_filter import AnswerFilter
from litellm_homelab.adapter.middleware.body import Body, Unmark
from litellm_homelab.adapter.middleware.closed_headers import Closed, ClosedHeaders
from litellm_homelab.adapter.middleware.early_errors import Early
from litellm_homelab.adapter.middleware.final_refusal import LastWord
from litellm_homelab.adapter.middleware.page import Page
from litellm_homelab.adapter.middleware.response_recorder import Watch
from litellm_homelab.adapter.middleware.waiting_comments import Comments
from litellm_homelab.decision import Allow, Refuse
from litellm_homelab.formats import header_pairs

AUTHORIZATION: Final = b"authorization"

Decide: TypeAlias = Callable[[Scope], Allow | Refuse]

Ended: TypeAlias = Callable[[RequestContext, Scope, Watch], Awaitable[None]]
"""Called with each request when it has ended."""


Scrub: TypeAlias = Callable[[str], str]
"""Takes names and secrets out of an error's text."""


def _as_it_is(_: RequestContext, model: str) -> str:
    return model


def _as_it_came(scope: Scope) -> Scope:
    return scope


def _plain(text: str) -> str:
    return text


def _none_is_closed(_: str) -> bool:
    return False


def _none(_: RequestContext) -> Mapping[str, str]:
    return {}


def _left(_: RequestContext) -> Refuse | None:
    return None


def _allow(_: Scope) -> Allow | Refuse:
    return Allow()


async def _unnoticed(_: RequestContext, __: Scope, ___: Watch) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Border:
    """
        What `Edge` needs to know.

    The order of the handles, how large a body may be, how marks come off, what is refused outright, who is
    told when a request has ended, how many parts a body may have, how texts of errors are cleaned, what
    replaces an error that came before pre-call, which names below wildcard groups a listing has, which
    paths are served under another name, and how often a stream that waits gets a comment.
    """

    order: Sequence[str] = ()
    body_bytes: int = 32 * 2**20
    unmark: Unmark = _as_it_is
    decide: Decide = _allow
    ended: Ended = _unnoticed
    parts: int = limits.PARTS
    scrub: Scrub = _plain
    early: Early = _left
    below: Callable[[RequestContext], Mapping[str, str]] = _none
    is_below: Callable[[str], bool] = lambda _: False
    """Whether a name is below a wildcard group."""
    rewrite: Callable[[Scope], Scope] = _as_it_came
    closed: Closed = _none_is_closed
    """Which headers never reach LiteLLM."""
    comment_seconds: float | None = None
    """How often a stream that waits for a backend gets a comment; None where none waits."""


class Edge:
    """ASGI middleware: opens the request's record, looks at its body, keeps upstreams out of answers."""

    def __init__(
        self, app: ASGIApp, border: Border | None = None, allowed: CORSMiddleware | None = None
    ) -> None:
        self.app = app
        self._cors = allowed
        self._border = border or Border()
        self._closed_headers = ClosedHeaders(self._border.closed)
        self._body = Body(self._border.body_bytes, self._border.parts, self._border.unmark)
        self._order = {name: number for number, name in enumerate(self._border.order)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return

        scope, passed = hop_header.taken(self._border.rewrite(_with_bearer(scope)))
        with context.request(scope.get("path", "")) as record:
            record.hops = passed
            scope = self._closed_headers.off(record, scope)
            record.receive = receive
            watch = Watch(cors.adding(self._cors, scope, send))
            if self._border.comment_seconds is not None:
                record.comments = Comments(record, watch, self._border.comment_seconds)
            try:
                last = LastWord(record, watch, self._border.early)
                clean = AnswerFilter(record, last, self._border.scrub, watch.note)
                await self._serve(record, scope, receive, clean)
            finally:
                record.stats.ended_at = time.monotonic()
                await self._border.ended(record, scope, watch)

    async def _serve(self, record: RequestContext, scope: Scope, receive: Receive, clean: Send) -> None:
        if scope["type"] == "http":
            await self._body.serve(self._decided, record, scope, receive, clean)
        else:
            await self.app(scope, websockets.bounded(receive, clean, self._border.body_bytes), clean)

    async def _decided(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an HTTP request whose body has been looked at."""
        rule, decision = self._decide(scope)
        if isinstance(decision, Refuse):
            context.refused(rule, decision)
            await exceptions.response(decision)(scope, receive, send)
        elif listing.is_listing(scope):
            below = partial(self._border.below, context.required())
            await listing.serve(self.app, scope, receive, send, self._order, below)
        elif (one := listing.one_of(scope, self._border.is_below)) is not None:
            below = partial(self._border.below, context.required())
            await listing.serve_one(self.app, scope, receive, send, one, below)
        else:
            await self.app(scope, receive, send)

    def _decide(self, scope: Scope) -> tuple[str, Allow | Refuse]:
        """What is refused outright, and by which rule."""
        if not scope.get("query_string", b"").isascii():
            return "edge", refusals.unreadable_query()
        return "gate", self._border.decide(scope)


def _with_bearer(scope: Scope) -> Scope:
    """
    A scope whose `Authorization` spells its scheme as LiteLLM compares it.

    LiteLLM 1.106.2 knows `Bearer` and `bearer` followed by one space; a scheme is case-insensitive
    (RFC 9110, section 11.1).
    """
    sent = header_pairs.values(scope["headers"], AUTHORIZATION)
    if [*map(_spelt, sent)] == sent:
        return scope
    headers = [
        (name, _spelt(value) if name.lower() == AUTHORIZATION else value) for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers}


def _spelt(value: bytes) -> bytes:
    scheme, _, key = value.partition(b" ")
    return b"Bearer " + key.lstrip() if scheme.lower() == b"bearer" and key.strip() else value


class EdgeWithPage(Edge):
    """`Edge` where `homelab.page` is on: the page's own paths never reach LiteLLM, nor its CORS."""

    def __init__(
        self, app: ASGIApp, border: Border | None, allowed: CORSMiddleware | None, page: Page
    ) -> None:
        super().__init__(app, border, allowed)
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3)."""
        if self._page.serves(scope):
            await self._page(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def wrap(
    app: Any,  # noqa: ANN401 - LiteLLM's FastAPI app
    border: Border | None = None,
    page: Page | None = None,
) -> None:
    """
    Put `Edge` around a running app, once; `page` is served in front of it.

    `app.add_middleware` is refused after the start, and callbacks are imported during it; the built stack
    is what may still be wrapped (measured on LiteLLM 1.106.2).
    """
    if app.middleware_stack is None:
        app.middleware_stack = app.build_middleware_stack()
    if not isinstance(app.middleware_stack, Edge):
        inner, allowed = app.middleware_stack, cors.of(app)
        app.middleware_stack = (
            Edge(inner, border, allowed) if page is None else EdgeWithPage(inner, border, allowed, page)
        )
