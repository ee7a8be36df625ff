"""
Below LiteLLM's clients: every HTTP request of this process passes here on its way out.

LiteLLM sends with five classes: its own aiohttp transport, the two transports of httpx, and the two of
httpx2, with which version 3 of the OpenAI SDK makes the client of `/v1/completions` (3.57 on 1.108.7). Their
methods are wrapped, not `AsyncHTTPHandler.create_async_transport`: that client, the one that images are
fetched with, proxies of the environment and every sync client are made without it, and clients that LiteLLM
has cached were made before (all read from 1.106.2).

httpx2 is httpx under another name, with types of its own: what decides here sees a copy in httpx's.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Protocol, cast

import httpx
from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

AsyncSend = Callable[[Any, httpx.Request], Awaitable[httpx.Response]]
SyncSend = Callable[[Any, httpx.Request], httpx.Response]


class Watcher(Protocol):
    """What decides on a request that is about to leave: the answer in its place, or None to send it."""

    async def leaving(self, transport: object, request: httpx.Request) -> httpx.Response | None:
        """Decide on a request of an async client."""

    async def answered(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        """Decide on the answer of an async client's request, where it is an error."""

    def leaving_sync(self, transport: object, request: httpx.Request) -> httpx.Response | None:
        """Decide on a request of a sync client."""


Divert = Callable[[object, httpx.Request], httpx.Request]
"""Sends a request to another address, once it has been decided on; for tests (`MockProxy`)."""

Around = Callable[[AsyncSend, object, httpx.Request], Awaitable[httpx.Response]]
"""Sends a request that may leave with the given function, and follows its answer."""

ASYNC: Final = (LiteLLMAiohttpTransport, httpx.AsyncHTTPTransport)
SYNC: Final = (httpx.HTTPTransport,)
FAILED: Final = 400
DECODED: Final = (b"content-encoding", b"content-length", b"transfer-encoding")
"""Headers of a body as it travelled, not as it was read."""
HTTPX2: Final = "httpx2"
MARK: Final = "_homelab_original"
CLOSED: Final = "homelab_closed"
"""The extension of a request with what is called when its answer is closed, or does not come."""
ANSWERED: Final = "homelab_answered"
"""The extension of a request with what looks at its answer, before LiteLLM does, and may replace it."""

_watcher: Watcher | None = None
_divert: Divert | None = None
_around: Around | None = None
_unreachable: Callable[[httpx.Request], None] | None = None


def watch(watcher: Watcher | None) -> None:
    """Let `watcher` decide on every request from now on; it replaces the one before, and None removes it."""
    global _watcher
    _watcher = watcher
    _wrap_all()


def divert(to: Divert | None) -> None:
    """Change where requests go, below the watcher; None changes nothing."""
    global _divert
    _divert = to
    _wrap_all()


def send_with(around: Around | None) -> None:
    """Send the requests of async clients with `around`; None sends them as they are."""
    global _around
    _around = around


def notice_unreachable(notice: Callable[[httpx.Request], None] | None) -> None:
    """Call `notice` with each request of an async client that finds no connection; None calls nothing."""
    global _unreachable
    _unreachable = notice


def _wrap_all() -> None:
    for one in ASYNC:
        _wrap(one, "handle_async_request", _async)
    for one in SYNC:
        _wrap(one, "handle_request", _sync)
    if importlib.util.find_spec(HTTPX2):
        newer = importlib.import_module(HTTPX2)
        _wrap(newer.AsyncHTTPTransport, "handle_async_request", functools.partial(_async_newer, newer))
        _wrap(newer.HTTPTransport, "handle_request", functools.partial(_sync_newer, newer))


def _wrap(kind: type, name: str, wrapper: Callable[[Any], Any]) -> None:
    """Put a wrapper around a method of a class, once in a process."""
    original = vars(kind)[name]
    if not hasattr(original, MARK):
        wrapped = functools.wraps(original)(wrapper(original))
        setattr(wrapped, MARK, original)
        setattr(kind, name, wrapped)


def _noticing(original: AsyncSend) -> AsyncSend:
    """`original`, which also reports requests that find no connection."""

    async def send(self: object, request: httpx.Request) -> httpx.Response:
        try:
            return await original(self, _diverted(self, request))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if _unreachable is not None:
                _unreachable(request)
            raise

    return send


def _async(original: AsyncSend) -> AsyncSend:
    send = _noticing(original)

    async def out(self: object, request: httpx.Request) -> httpx.Response:
        sending, asked = send(self, request), request.extensions
        closed, answered = asked.get(CLOSED), asked.get(ANSWERED)
        response = await (sending if closed is None else _followed(sending, closed))
        return response if answered is None else await answered(response, request)

    async def handle(self: object, request: httpx.Request) -> httpx.Response:
        refusal = await _watcher.leaving(self, request) if _watcher is not None else None
        if refusal is not None:
            return refusal
        if _around is not None:
            response = await _around(out, self, request)
        elif CLOSED in request.extensions or ANSWERED in request.extensions:
            response = await out(self, request)
        elif _unreachable is None:
            response = await original(self, _diverted(self, request))
        else:
            response = await send(self, request)
        if _watcher is None or response.status_code < FAILED:
            return response
        return await _watcher.answered(request, response)

    return handle


async def _followed(sending: Awaitable[httpx.Response], closed: Callable[[], None]) -> httpx.Response:
    """Call `closed` when the answer has been read, or will not be, and where there is none."""
    try:
        response = await sending
    except BaseException:
        closed()
        raise
    follow(response, closed)
    return response


def follow(response: httpx.Response, closed: Callable[[], None]) -> None:
    """Call `closed` when an answer has been read, or will not be."""
    response.stream = _Followed(cast("httpx.AsyncByteStream", response.stream), closed)


class _Followed(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, stream: httpx.AsyncByteStream, closed: Callable[[], None]) -> None:
        self._stream = stream
        self._closed = closed

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except BaseException:
            self._closed()
            raise

    async def aclose(self) -> None:
        """Close the connection (httpx calls it after the last byte as well)."""
        try:
            await self._stream.aclose()
        finally:
            self._closed()


def _sync(send: SyncSend) -> SyncSend:
    def handle(self: object, request: httpx.Request) -> httpx.Response:
        refusal = _watcher.leaving_sync(self, request) if _watcher is not None else None
        return refusal if refusal is not None else send(self, _diverted(self, request))

    return handle


def _diverted(transport: object, request: httpx.Request) -> httpx.Request:
    return request if _divert is None else _divert(transport, request)


def _async_newer(newer: Any, send: AsyncSend) -> AsyncSend:  # noqa: ANN401 - the module httpx2
    async def handle(self: object, request: Any) -> Any:  # noqa: ANN401 - httpx2's types
        async def send_seen(transport: object, seen: httpx.Request) -> Any:  # noqa: ANN401 - httpx2's
            response = await send(transport, _changed(newer, request, seen))
            return response if response.status_code < FAILED else await _failed(seen, response)

        await request.aread()
        return _answer(newer, request, await _async(send_seen)(self, _seen(request)))

    return handle


def _sync_newer(newer: Any, send: SyncSend) -> SyncSend:  # noqa: ANN401 - the module httpx2
    def handle(self: object, request: Any) -> Any:  # noqa: ANN401 - httpx2's types
        def send_seen(transport: object, seen: httpx.Request) -> Any:  # noqa: ANN401 - httpx2's
            return send(transport, _changed(newer, request, seen))

        request.read()
        return _answer(newer, request, _sync(send_seen)(self, _seen(request)))

    return handle


def _seen(request: Any) -> httpx.Request:  # noqa: ANN401 - httpx2's
    """A request of httpx2, whose body has been read, in httpx's type."""
    return httpx.Request(
        request.method, str(request.url), headers=request.headers.raw, content=request.content
    )


def _changed(newer: Any, request: Any, seen: httpx.Request) -> Any:  # noqa: ANN401 - httpx2's
    """The request of httpx2 as it was left: address, headers and body (kept in three places, as in httpx)."""
    if str(request.url) != str(seen.url):
        request.url = newer.URL(str(seen.url))
    request.headers = newer.Headers(seen.headers.raw)
    if request.content != seen.content:
        request._content = seen.content
        request.stream = newer.ByteStream(seen.content)
    return request


async def _failed(seen: httpx.Request, response: Any) -> httpx.Response:  # noqa: ANN401 - httpx2's
    """An error answer of httpx2, read whole, in httpx's type."""
    return read_whole(response, await response.aread(), seen)


def read_whole(response: Any, content: bytes, request: httpx.Request) -> httpx.Response:  # noqa: ANN401 - either
    """An answer of httpx or httpx2 whose stream has been read, once more, with `content` as its body."""
    headers = [one for one in response.headers.raw if one[0].lower() not in DECODED]
    return httpx.Response(response.status_code, headers=headers, content=content, request=request)


def _answer(newer: Any, request: Any, found: Any) -> Any:  # noqa: ANN401 - httpx2's
    """The upstream's answer as it is; a refusal or an error, which is of httpx's type, in httpx2's."""
    if not isinstance(found, httpx.Response):
        return found
    return newer.Response(
        found.status_code, headers=found.headers.raw, content=found.content, request=request
    )
