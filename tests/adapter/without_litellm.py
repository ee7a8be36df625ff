"""Our hooks without LiteLLM between them: a stand-in calls them in LiteLLM's order, much faster."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from fastapi import HTTPException
from litellm import Router
from litellm.proxy.proxy_server import app as litellms_app
from litellm.types.utils import CallTypes, ModelResponse
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from litellm_homelab.adapter import context
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.middleware import route_access
from litellm_homelab.adapter.middleware.outer import Border, Edge
from litellm_homelab.adapter.wiring import Parts, build
from litellm_homelab.config.settings import Settings

CHAT: Final = "/v1/chat/completions"
USED: Final = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
"""What every upstream says that an answer used."""
CHUNK: Final = b'data: {"choices": [{"delta": {"content": "hello"}}]}\n\n'


class UpstreamFailed(Exception):
    """An upstream answered 500."""


@dataclass(slots=True)
class Answer:
    """What a client got."""

    status: int
    body: bytes

    @property
    def error(self) -> str:
        """The type of the error; empty for none."""
        found = json.loads(self.body) if self.status >= 400 and self.body else {}
        return str(found.get("error", {}).get("type", "")) if isinstance(found, dict) else ""


@dataclass(slots=True)
class Gateway:
    """
    `Edge`, LiteLLM's routes behind `Door`, and behind them a stand-in for LiteLLM.

    It calls the gate and the hooks as LiteLLM does, for chat with fallbacks (tests/docs/test_traps.py has the
    order and the number), and asks `upstream`, which gets the group and the body that leaves.
    """

    parts: Parts
    order: tuple[str, ...]
    fallbacks: Mapping[str, tuple[str, ...]]
    upstream: Callable[[str, Mapping[str, Any]], Any]
    models: Mapping[str, str] = field(default_factory=dict)
    """The model of each group's deployment, which its attempts carry."""
    sent: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Attempts that left: the handle asked for, the group tried, how it went."""
    admitted: Counter[str] = field(default_factory=Counter)
    """Requests that came past pre-call, by caller."""
    streams: int = 0
    """Streams that began."""
    _found: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, document: Mapping[str, Any]) -> Gateway:
        """Build the hooks on checked settings, as LiteLLM's start does."""
        router = Router(model_list=list(document["model_list"]))
        made = build(settings, lambda: router, lambda: False)
        fallbacks = {source: tuple(targets) for _, source, targets in settings.router.fallbacks}
        models = {one["model_name"]: one["litellm_params"]["model"] for one in document["model_list"]}
        return cls(made, tuple(settings.handles), fallbacks, lambda *_: None, models)

    def app(self) -> Edge:
        """The whole of it, an ASGI app."""
        made = self.parts
        inner = route_access.Door(
            self._serve, litellms_app.router, made.rule, made.keyring, made.fields.screen
        )
        decide = route_access.metrics_door(made.rule, made.keyring)
        return Edge(inner, Border(self.order, 2**20, made.opening.unmarked, decide, made.ending))

    # --- LiteLLM -----------------------------------------------------------------------------------

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
            return
        request = Request(scope, receive)
        if context.required().route is None and not route_access.is_metrics(scope):
            await _error(404, "not_found", "LiteLLM asks for no key where it has no route")(
                scope, receive, send
            )
            return
        try:
            key = await self.parts.gate(request, request.headers.get("authorization"))
            answer = await self._answer(request, key)
        except Refused as refused:
            answer = _error(refused.status_code, str(refused.type), str(refused.message))
        except ValueError:
            answer = _error(400, "unreadable", "no JSON")
        await answer(scope, receive, send)

    async def _answer(self, request: Request, key: Any) -> Any:
        body = orjson.loads(await request.body() or b"{}")
        if request.url.path != CHAT or request.method != "POST":
            return _error(404, "not_served", "the stand-in serves chat alone")
        headers = dict(Headers(scope=request.scope))
        copied = {"url": str(request.url), "headers": headers, "body": dict(body)}
        data: dict[str, Any] = {**body, "metadata": {}, "proxy_server_request": copied}
        try:
            for hook in self._hooks("async_pre_call_hook"):
                data = await hook(key, None, data, "acompletion") or data
            self.admitted[str(key.key_alias or "master")] += 1
            return await self._served(data, key)
        except (HTTPException, Refused, UpstreamFailed) as error:
            return await self._failed(data, key, error)

    async def _failed(self, data: dict[str, Any], key: Any, error: Exception) -> JSONResponse:
        for hook in self._hooks("log_pre_api_call"):
            hook(data.get("model"), None, {"additional_args": {}})
        for hook in self._hooks("async_post_call_failure_hook"):
            error = await hook(data, error, key) or error
        for hook in self._hooks("async_post_call_response_headers_hook"):
            await hook(data, key, None)
        kind, status = getattr(error, "type", None) or "server_error", getattr(error, "status_code", 500)
        return _error(status, str(getattr(kind, "value", kind)), "refused, or the upstream failed")

    async def _served(self, data: dict[str, Any], key: Any) -> Any:
        model, stream = data.get("model"), bool(data.get("stream"))
        if not isinstance(model, str):
            return _error(400, "no_model", "LiteLLM routes no request without a model")
        failed: Exception | None = None
        for group in (model, *self.fallbacks.get(model, ())):
            try:
                response = await self._attempt(group, data, stream)
                break
            except Refused:
                if failed is None:
                    raise
            except UpstreamFailed as error:
                failed = failed or error
        else:
            raise failed or LookupError(model)
        if stream:
            return await self._streamed(data, key)
        for hook in self._hooks("async_post_call_success_hook"):
            response = await hook(data, key, response) or response
        for hook in self._hooks("async_post_call_response_headers_hook"):
            await hook(data, key, response)
        await self._booked(data, response)
        return JSONResponse({"model": response.model, "usage": USED})

    async def _attempt(self, group: str, data: dict[str, Any], stream: bool) -> ModelResponse:
        kwargs = {**data, "model": self.models[group], "model_info": {"id": f"id-{group}-0"}}
        for hook in self._hooks("async_pre_call_deployment_hook"):
            kwargs = await hook(kwargs, CallTypes.acompletion) or kwargs
        sent = {"model": group, "messages": kwargs.get("messages")}
        for hook in self._hooks("log_pre_api_call"):
            hook(group, None, {"additional_args": {"complete_input_dict": sent}})
        try:
            asking = self.upstream(group, dict(sent))
            await (asking or asyncio.sleep(0))
        except UpstreamFailed as error:
            self.sent[str(data["model"]), group, "failed"] += 1
            for hook in self._hooks("async_post_call_failure_deployment_hook"):
                await hook(kwargs, error, CallTypes.acompletion)
            raise
        self.sent[str(data["model"]), group, "answered"] += 1
        response = ModelResponse(choices=[{"message": {"content": "hello"}}], usage=USED, model=sent["model"])
        for hook in self._hooks("async_post_call_success_deployment_hook") if not stream else ():
            await hook(kwargs, response, CallTypes.acompletion)
        return response

    async def _streamed(self, data: dict[str, Any], key: Any) -> Any:
        chunks: AsyncIterator[Any] = _chunks()
        for hook in self._hooks("async_post_call_streaming_iterator_hook"):
            chunks = hook(key, chunks, data)
        for hook in self._hooks("async_post_call_response_headers_hook"):
            await hook(data, key, None)
        ahead = await anext(chunks)
        self.streams += 1

        async def rest() -> AsyncIterator[bytes]:
            yield ahead
            async for chunk in chunks:
                yield chunk

        return StreamingResponse(rest(), media_type="text/event-stream")

    async def _booked(self, data: dict[str, Any], response: Any) -> None:
        kwargs: dict[str, Any] = {"litellm_params": {}, "model": data.get("model")}
        for hook in self._hooks("async_logging_hook"):
            kwargs, response = await hook(kwargs, response, "acompletion")

    def _hooks(self, name: str) -> list[Any]:
        if name not in self._found:
            self._found[name] = [getattr(self.parts.plugin, name)]
        return self._found[name]


async def _chunks() -> AsyncIterator[bytes]:
    yield CHUNK
    yield CHUNK
    yield b"data: [DONE]\n\n"


def _error(status: int, kind: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": kind}}, status)


async def ask(
    app: Edge,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    kind: str = "http",
) -> Answer:
    """One request as a server hands it over; names and values of headers may be any text."""
    raw = [(_raw(name).lower(), _raw(value)) for name, value in headers.items()]
    target, _, query = path.partition("?")
    scope: Scope = {"type": kind, "method": method, "path": target, "query_string": _raw(query)}
    scope.update(asgi={"spec_version": "2.4"}, scheme="http", server=("gateway", 80))
    scope.update(headers=raw, root_path="")
    said: list[Message] = []
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if asked:
            return asked.pop()
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: Message) -> None:
        said.append(message)

    await app(scope, receive, send)
    status = next((int(one["status"]) for one in said if one["type"] == "http.response.start"), 0)
    return Answer(status, b"".join(one.get("body", b"") for one in said))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # half a pair, too, as a client may send it
