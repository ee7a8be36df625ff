"""
Below LiteLLM's clients: every HTTP request of this process passes here on its way out.

LiteLLM 1.106.2 sends with three classes: its own aiohttp transport and the two transports of httpx. Their
methods are wrapped, not `AsyncHTTPHandler.create_async_transport`: the client of `/v1/completions`, the one
that images are fetched with, proxies of the environment and every sync client are made without it, and
clients that LiteLLM has cached were made before (all read from 1.106.2).
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

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

ASYNC: Final = (LiteLLMAiohttpTransport, httpx.AsyncHTTPTransport)
SYNC: Final = (httpx.HTTPTransport,)
FAILED: Final = 400
MARK: Final = "_homelab_original"

_watcher: Watcher | None = None
_divert: Divert | None = None


def watch(watcher: Watcher | None) -> None:
    """Ask `watcher` about every request from now on, in the place of the one before; None asks nobody."""
    global _watcher
    _watcher = watcher
    _wrap_all()


def divert(to: Divert | None) -> None:
    """Change where requests go, below the watcher; None changes nothing."""
    global _divert
    _divert = to
    _wrap_all()


def _wrap_all() -> None:
    for one in ASYNC:
        _wrap(one, "handle_async_request", _async)
    for one in SYNC:
        _wrap(one, "handle_request", _sync)


def _wrap(kind: type, name: str, wrapper: Callable[[Any], Any]) -> None:
    """Put a wrapper around a method of a class, once in a process."""
    original = vars(kind)[name]
    if not hasattr(original, MARK):
        wrapped = functools.wraps(original)(wrapper(original))
        setattr(wrapped, MARK, original)
        setattr(kind, name, wrapped)


def _async(send: AsyncSend) -> AsyncSend:
    async def handle(self: object, request: httpx.Request) -> httpx.Response:
        refusal = await _watcher.leaving(self, request) if _watcher is not None else None
        if refusal is not None:
            return refusal
        response = await send(self, _diverted(self, request))
        if _watcher is None or response.status_code < FAILED:
            return response
        return await _watcher.answered(request, response)

    return handle


def _sync(send: SyncSend) -> SyncSend:
    def handle(self: object, request: httpx.Request) -> httpx.Response:
        refusal = _watcher.leaving_sync(self, request) if _watcher is not None else None
        return refusal if refusal is not None else send(self, _diverted(self, request))

    return handle


def _diverted(transport: object, request: httpx.Request) -> httpx.Request:
    return request if _divert is None else _divert(transport, request)
