"""Gives the client our refusal, whatever answer LiteLLM makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Message, Send

from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import exceptions
from litellm_homelab.adapter.middleware.asgi import is_event_stream
from litellm_homelab.adapter.middleware.early_errors import Early
from litellm_homelab.adapter.outcome import NO_REPEAT, FinalError
from litellm_homelab.adapter.policies.fields import RULE
from litellm_homelab.decision import RefusalType
from litellm_homelab.formats import header_pairs

OF_THE_BODY = frozenset({b"content-type", b"content-length", b"transfer-encoding", b"cache-control"})
"""Headers that describe the body, which do not fit the one that replaces it."""
FAILED = 400
QUEUED: Final = "x-homelab-queue-seconds"
"""How long a request has waited for slots of backends."""


class LastWord:
    """
    An ASGI `send` that replaces LiteLLM's answer by the outcome of the request.

    `early` gives the refusal of a request that LiteLLM failed to read before any hook of ours.

    On a stream of `/v1/responses` LiteLLM turns whatever a hook raises into an event after a 200; on
    `/v1/messages`, `/v1/completions`, Gemini's routes, and before a stream's first chunk it drops the headers
    of an exception, so that SDKs ask twice more (measured on 1.106.2).
    """

    def __init__(self, record: RequestContext, send: Send, early: Early) -> None:
        self._record = record
        self._send = send
        self._early = early
        self._replaced = False

    async def __call__(self, message: Message) -> None:
        """Pass on a message of the answer, or of the one that replaces it."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif not self._replaced:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        message["headers"] = _added(message, account(self._record))
        failed = message["status"] >= FAILED
        if not failed:
            self._record.outcome.answered()
        ending = self._record.outcome.for_client()
        if ending is not None and (
            not failed or is_event_stream(message) or message["status"] != ending.status
        ):
            await self._replace(message, ending)
            return
        if failed:
            found = self._early(self._record)
            if found is not None:
                context.refused("gate" if found.type is RefusalType.AUTHENTICATION_ERROR else RULE, found)
                await self._answer(exceptions.response(found), ())
                return
            message["headers"] = self._with_own(message, ending)
        await self._send(message)

    async def _replace(self, message: Message, ending: FinalError) -> None:
        route = self._record.route
        answer = ending.response(route.path if route else self._record.path)
        own = {name for name, _ in answer.raw_headers}
        kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in OF_THE_BODY | own]
        await self._answer(answer, kept)

    async def _answer(self, answer: Response, kept: Iterable[tuple[bytes, bytes]]) -> None:
        """Send another answer, with headers of the one that it replaces."""
        self._replaced = True
        headers = [*kept, *answer.raw_headers]
        await self._send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body})

    def _with_own(self, message: Message, ending: FinalError | None) -> list[tuple[bytes, bytes]]:
        """The headers of an error with those that LiteLLM drops."""
        own = dict(ending.headers) if ending is not None and ending.status == message["status"] else {}
        if must_not_repeat(self._record):
            own.update(NO_REPEAT)
        return _added(message, own)


def _added(message: Message, own: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, and those of our own that it does not have."""
    headers = list(message.get("headers", ()))
    if not own:
        return headers
    present = header_pairs.names(headers)
    added = [(name.encode(), value.encode()) for name, value in own.items()]
    return headers + [pair for pair in added if pair[0] not in present]


def must_not_repeat(record: RequestContext) -> bool:
    """Whether the request has run OptiLLM, so that an SDK should not repeat it."""
    summary = record.root.summary if record.root else None
    return summary is not None and summary.children > 0


def account(record: RequestContext) -> dict[str, str]:
    """The `x-homelab-*` headers of an answer: LiteLLM leaves those of hooks out on some routes."""
    root = record.root
    if root is None and not record.queued:
        return {}
    headers = {QUEUED: f"{record.queued:.3f}"} if record.queued else {}
    if root is None:
        return headers
    headers |= {"x-homelab-root": root.id, "x-homelab-approach": root.approach}
    if root.summary is not None:
        headers["x-homelab-calls"] = str(root.summary.children)
        headers["x-homelab-tokens"] = str(root.summary.usage.total_tokens)
    return headers | ({"x-homelab-dropped": ",".join(record.dropped)} if record.dropped else {})
