"""Listings of models without their upstreams: no hook of LiteLLM sees their entries."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from litellm_homelab.answers import listed

ENDINGS = ("/models", "/model/info", "/model_group/info")
"""How the paths of the listings end: /models, /v1/models, /model/info, /v1/model/info, /v2/model/info, ..."""
ONE = "/models/"
CREATED = 1677610602
"""`created` of every model in LiteLLM's listings."""
TEXTS = frozenset({"mode"})
"""Settings of `model_info` that are text and say nothing of the upstream."""
LISTS = frozenset({"supported_openai_params", "supported_reasoning_efforts"})


def is_listing(scope: Scope) -> bool:
    """Whether a request asks for a listing; a server may have put LiteLLM below a root path."""
    return scope["type"] == "http" and scope["method"] == "GET" and str(scope["path"]).endswith(ENDINGS)


def outward(body: Mapping[str, Any], order: Mapping[str, int] | None = None) -> dict[str, Any]:
    """
    A copy of a listing that says of each handle what it can do and nothing of where it leads.

    Entries are in the `order` of the handles (LiteLLM's is that of `model_list`); others come last.

    `litellm_params.model` is the handle's own name: some coding agents skip entries without one.

    Stock LiteLLM shows `litellm_params` (model, api_base) and in `model_info` the deployment's id and the
    upstream's model; and with `?include_metadata=true` the groups that a handle falls back to (measured on
    1.106.2).
    """
    entries = body.get("data")
    if not isinstance(entries, list):
        return {**body}
    ranks = order or {}
    return {**body, "data": sorted(map(_entry, entries), key=lambda entry: _rank(entry, ranks))}


def _rank(entry: Any, order: Mapping[str, int]) -> int:  # noqa: ANN401 - JSON of any shape
    name = (
        (entry.get("id") or entry.get("model_name") or entry.get("model_group"))
        if isinstance(entry, Mapping)
        else None
    )
    return order.get(name, len(order)) if isinstance(name, str) else len(order)


def _entry(entry: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if not isinstance(entry, Mapping):
        return entry
    shown: dict[str, Any] = listed.entry(entry)
    if "litellm_params" in shown:
        name = shown.get("model_name")
        shown["litellm_params"] = {"model": name} if isinstance(name, str) else {}
    if isinstance(shown.get("model_info"), Mapping):
        shown["model_info"] = {key: value for key, value in shown["model_info"].items() if _says(key, value)}
    return shown


def _says(key: str, value: Any) -> bool:  # noqa: ANN401 - JSON of any shape
    """Whether a setting is shown: numbers, yes or no, nothing; and what is named above."""
    return value is None or isinstance(value, bool | int | float) or key in TEXTS or key in LISTS


def completed(body: Mapping[str, Any], path: str, below: Mapping[str, str]) -> dict[str, Any]:
    """
    A listing with the caller's names `below` wildcard groups (each with its mode) that LiteLLM left out.

    LiteLLM replaces a wildcard by the models of that provider that it knows (1.106.2).
    """
    entries = body.get("data")
    if not isinstance(entries, list):
        return {**body}
    key = {"/models": "id", "/model_group/info": "model_group"}
    name = next((field for end, field in key.items() if path.endswith(end)), "model_name")
    there = {one.get(name) for one in entries if isinstance(one, Mapping)}
    kept = [one for one in entries if not (isinstance(one, Mapping) and "*" in str(one.get(name)))]
    return {**body, "data": kept + [_made(name, one, below[one]) for one in below if one not in there]}


def _made(field: str, name: str, mode: str) -> dict[str, Any]:
    if field == "id":
        return {"id": name, "object": "model", "created": CREATED, "owned_by": listed.OWNER}
    if field == "model_group":
        return {"model_group": name, "mode": mode}
    return {"model_name": name, "litellm_params": {}, "model_info": {"mode": mode}}


async def serve(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    order: Mapping[str, int] | None = None,
    below: Callable[[], Mapping[str, str]] = dict,
) -> None:
    """
    Serve a listing from `app`, rewritten and in `order`; an answer other than a 200 goes out as it is.

    `below` gives the caller's names below wildcard groups, with their modes, once `app` has answered.

    Raises:
        ValueError: a 200 that is not a JSON object, so that it cannot be filtered; the server makes it a 500.

    """
    headers = [pair for pair in scope["headers"] if pair[0].lower() != b"accept-encoding"]
    await app({**scope, "headers": headers}, receive, _Held(send, order, str(scope["path"]), below))


def one_of(scope: Scope, is_below: Callable[[str], bool]) -> str | None:
    """The name below a wildcard group that a request for one model (`GET /v1/models/{name}`) is about."""
    _, found, name = str(scope["path"]).partition(ONE)
    is_one = found and scope["type"] == "http" and scope["method"] == "GET"
    return name if is_one and is_below(name) else None


async def serve_one(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    name: str,
    below: Callable[[], Mapping[str, str]],
) -> None:
    """
    Serve one model below a wildcard group, which LiteLLM does not know by itself, from its listing.

    A name that the listing does not have is LiteLLM's to answer.
    """
    path = str(scope["path"]).partition(ONE)[0] + ENDINGS[0]
    found: list[Mapping[str, Any]] = []
    body = bytearray()

    async def collected(message: Message) -> None:
        body.extend(message.get("body", b""))

    await serve(app, {**scope, "path": path, "raw_path": path.encode()}, receive, collected, None, below)
    with suppress(ValueError, KeyError, TypeError):
        found += [one for one in json.loads(bytes(body))["data"] if one.get("id") == name]
    if not found:
        await app(scope, receive, send)
        return
    await JSONResponse(found[0])(scope, receive, send)


class _Held:
    """A `send` that holds a 200 back until it is complete."""

    def __init__(
        self,
        send: Send,
        order: Mapping[str, int] | None,
        path: str,
        below: Callable[[], Mapping[str, str]],
    ) -> None:
        self._send = send
        self._path = path
        self._below = below
        self._order = order
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._answer(self._start)

    def _complete(self, body: dict[str, Any]) -> dict[str, Any]:
        below = self._below()
        return completed(body, self._path, below) if below else body

    async def _answer(self, start: Message) -> None:
        body = json.loads(self._body)
        if not isinstance(body, dict):
            raise ValueError("a listing that is not a JSON object")
        content = json.dumps(outward(self._complete(body), self._order), separators=(",", ":")).encode()
        headers = MutableHeaders(raw=list(start.get("headers", ())))
        headers["content-length"] = str(len(content))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": content})
