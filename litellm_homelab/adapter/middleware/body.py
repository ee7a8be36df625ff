"""Reads a request's body before LiteLLM does: its size, its shape, and the mark on its model name."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import orjson
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from litellm_homelab import refusals
from litellm_homelab.access import limits
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api.exceptions import response as to_response
from litellm_homelab.adapter.middleware import drain, model_names
from litellm_homelab.adapter.middleware.forms import FormReader
from litellm_homelab.decision import Refuse
from litellm_homelab.formats import header_pairs
from litellm_homelab.optillm import lineage

FORMS: Final = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
"""
Content types that LiteLLM reads as a form, any other as JSON (1.106.2, `_is_form_content_type`).

Forms are counted on their way, not held: starlette keeps their files on disk.
"""
BINARY: Final = ("application/octet-stream", "application/x-protobuf", "audio/", "image/", "video/")
"""Content types whose body need not be JSON; LiteLLM still reads it as JSON where it is."""
BLANK: Final = b" \t\r\n\xef\xbb\xbf"
"""White space of JSON (RFC 8259), and the mark that some editors put before a text."""
CONTENT_TYPE: Final = b"content-type"
FAILED: Final = 400
DIGITS: Final = 20
"""Digits of an announced length that are looked at; Python does not read a number of ten thousand."""


Unmark: TypeAlias = Callable[[RequestContext, str], str]
"""Takes a mark off a model name; whose it was goes into the record."""


class Body:
    """
    Serves requests whose bodies are of a size and shape that LiteLLM can take.

    Whatever the method, the route and the key: LiteLLM reads the body of a GET too, before it asks for a
    key. Stock LiteLLM answers 500 to a JSON body that is not an object, and has no size limit without a
    licence (measured on 1.106.2). `unmark` takes the mark off a model name: done here, so that the mark is
    in none of LiteLLM's logs. The record gets a JSON body as the client sent it, and a form's fields, which
    are read as they pass.
    """

    def __init__(self, limit: int, parts: int, unmark: Unmark) -> None:
        self._limit = limit
        self._parts = parts
        self._unmark = unmark

    async def serve(
        self, app: ASGIApp, record: RequestContext, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve one HTTP request (ASGI 3) from `app`."""
        if _announced(scope) > self._limit:
            await self._refuse_size(receive, send)  # before a byte of it is asked for
        elif media_type(scope) in FORMS:
            await self._counted(app, record, scope, receive, send)
        else:
            await self._held(app, record, scope, receive, send)

    async def _held(
        self, app: ASGIApp, record: RequestContext, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """A body that is read whole, looked at, and handed on."""
        size, parts, more = 0, [], True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client has left: there is nothing to do
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._limit:
                parts.clear()
                await self._refuse_size(receive, send)
                return
            more = message.get("more_body", False)
        body = b"".join(parts)
        clean = self._judged(record, scope, body)
        if isinstance(clean, Refuse):
            await _response(clean)(scope, receive, send)
            return
        replayed = {"type": "http.request", "body": clean, "more_body": False}
        await app(_resized(scope, body, clean), _Replay(replayed, receive), send)

    def _judged(self, record: RequestContext, scope: Scope, body: bytes) -> bytes | Refuse:
        """The body as it goes on, or why it does not."""
        document = _read(record, body) if body.lstrip(BLANK)[:1] in {b"", b"{"} else None
        if document is None:
            is_binary = media_type(scope).startswith(BINARY)
            return body if is_binary else refusals.not_an_object()
        refused = None if limits.is_within(body, self._parts) else limits.refusal(document, self._parts)
        return refused or self._without_mark(record, document, body)

    def _without_mark(self, record: RequestContext, document: Mapping[str, Any], body: bytes) -> bytes:
        """
        The body as it goes on; as it came, where it carries no mark.

        The mark is looked for in the model only: searching a megabyte for it takes as long as reading it.
        """
        model = document.get("model")
        if not isinstance(model, str) or lineage.MARKER not in model:
            return body
        return _written({**document, "model": self._unmark(record, model)})

    async def _counted(
        self, app: ASGIApp, record: RequestContext, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """A body that goes on as it comes, and is cut off where it is too large."""
        kind = header_pairs.first(scope["headers"], CONTENT_TYPE).decode("latin-1")
        first = await receive()
        is_json = bytes(first.get("body", b"")).lstrip(BLANK)[:1] == b"{"
        app = _response(refusals.json_as_a_form(media_type(scope))) if is_json else app
        receive = _Replay(first, receive)
        fields = FormReader(kind)
        record.form = fields.found
        counter = _Counter(receive, send, self._limit, fields)
        with contextlib.suppress(_TooLarge):
            await app(scope, counter.receive, counter.send)
        if counter.exceeded and not counter.started:
            await self._refuse_size(receive, send)

    async def _refuse_size(self, receive: Receive, send: Send) -> None:
        response = _response(refusals.body_too_large(self._limit))
        response.headers["connection"] = "close"  # the rest may be left unread
        await drain.answer(response, receive, send, self._limit)


class _TooLarge(Exception):
    """Ends the app's reading of a body that is over the limit."""


class _Counter:
    """
    Counts what an app receives, and notes whether it has begun to answer.

    Before an error that the app gives without having read the body, the rest is counted: too large is too
    large, whether the key was right or the route there.
    """

    def __init__(self, receive: Receive, send: Send, limit: int, fields: FormReader) -> None:
        self._receive = receive
        self._fields = fields
        self._send = send
        self._left = limit
        self._more = True
        self.exceeded = False
        self.started = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._more = message.get("more_body", False)  # no such key where the client has left
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.exceeded = True
            raise _TooLarge
        self._fields.feed(message.get("body", b""))
        if not message.get("more_body", False):
            self._fields.end()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= FAILED and not self.exceeded:
            await self._rest()
        if not self.exceeded:  # what the app says of its broken reading is not the reason
            self.started = True
            await self._send(message)

    async def _rest(self) -> None:
        with contextlib.suppress(_TooLarge, TimeoutError):
            async with asyncio.timeout(drain.SECONDS):
                while self._more:
                    async with asyncio.timeout(drain.SILENCE):
                        await self.receive()


class _Replay:
    """A `receive` that gives one message, then what comes after it (a disconnect)."""

    def __init__(self, first: Message, receive: Receive) -> None:
        self._first: Message | None = first
        self._receive = receive

    async def __call__(self) -> Message:
        first, self._first = self._first, None
        return first if first is not None else await self._receive()


def _read(record: RequestContext, body: bytes) -> Mapping[str, Any] | None:
    """Read it as LiteLLM does, and note it; None for what LiteLLM takes for an empty object."""
    try:
        document: Mapping[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _mended(body)
    record.sent = document
    record.named = model_names.in_json(body, document)
    return document


def _mended(body: bytes) -> Mapping[str, Any] | None:
    """
    What LiteLLM may make of broken JSON: it repairs lone surrogates and reports anything else as an error.

    None for what it takes for an empty object: no UTF-8, or deeper than Python's own reader can follow (all
    measured on 1.106.2). Not to be noted: what LiteLLM has read is noted when it has.
    """
    try:
        document = json.loads(body.decode())
    except (UnicodeDecodeError, RecursionError):
        return None
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _written(document: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:  # a lone surrogate, or nested deeper than orjson writes, though it read it
        return json.dumps(document).encode()


def media_type(scope: Scope) -> str:
    """The content type of a request without its parameters, as LiteLLM compares it."""
    kind = header_pairs.first(scope["headers"], CONTENT_TYPE).decode("latin-1")
    return kind.partition(";")[0].strip().lower()


def _announced(scope: Scope) -> int:
    """How long a body says that it is; 0 where it does not say it in digits."""
    length = header_pairs.first(scope["headers"], b"content-length").decode("latin-1")
    return int(length[:DIGITS]) if length.isdecimal() else 0


def _resized(scope: Scope, before: bytes, after: bytes) -> Scope:
    if before is after:
        return scope
    headers = [pair for pair in scope["headers"] if pair[0].lower() != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(len(after)).encode())]}


def _response(refusal: Refuse) -> JSONResponse:
    context.refused("edge", refusal)
    return to_response(refusal)
