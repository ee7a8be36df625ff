"""Listings of models, as a client of the wrapped app sees them."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from litellm_homelab.adapter.middleware import listing
from litellm_homelab.adapter.middleware.outer import Edge

DEPLOYMENT = {
    "model_name": "main",
    "litellm_params": {"model": "openai/secret", "api_base": "http://127.0.0.1:1/v1"},
    "model_info": {
        "id": "secret-id",
        "key": "openai/secret",
        "base_model": "secret",
        "litellm_provider": "openai",
        "pricing_overrides": ["secret"],
        "mode": "chat",
        "max_input_tokens": 4096,
        "supports_vision": None,
        "supports_function_calling": True,
        "supported_openai_params": ["tools"],
    },
}
SHOWN = {
    "model_name": "main",
    "litellm_params": {"model": "main"},
    "model_info": {
        "mode": "chat",
        "max_input_tokens": 4096,
        "supports_vision": None,
        "supports_function_calling": True,
        "supported_openai_params": ["tools"],
    },
}
MODEL = {"id": "main", "object": "model", "max_input_tokens": 4096}


async def answered(answer: Response, path: str = "/v1/model/info", method: str = "GET") -> httpx.Response:
    """What a client gets when the app behind `Edge` gives `answer` on `path`."""

    async def endpoint(request: Request) -> Response:
        return answer

    app = Starlette(
        routes=[Route(path, endpoint, methods=[method])],
        middleware=[Middleware(GZipMiddleware, minimum_size=10)],
    )
    transport = httpx.ASGITransport(Edge(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.request(method, path)


@pytest.mark.parametrize("path", ["/model/info", "/v1/model/info", "/v2/model/info", "/prefix/v1/model/info"])
async def test_deployments_are_shown_without_what_stands_behind_them(path: str) -> None:
    """Of a deployment its handle, mode, sizes and abilities are told; length and encoding fit."""
    answer = await answered(JSONResponse({"data": [DEPLOYMENT], "total_count": 1}), path)

    assert answer.json() == {"data": [SHOWN], "total_count": 1}
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("path", ["/models", "/v1/models"])
async def test_models_are_shown_without_their_fallbacks(path: str) -> None:
    """What `?include_metadata=true` adds to an entry, the groups that it falls back to, is left out."""
    answer = await answered(JSONResponse({"data": [{**MODEL, "metadata": {"fallbacks": ["rung"]}}]}), path)

    assert answer.json() == {"data": [MODEL]}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"data": [MODEL], "object": "list"}, id="plain"),
        pytest.param({"models": [{"slug": "main"}]}, id="another-shape"),
        pytest.param({"data": ["main"]}, id="names"),
        pytest.param({}, id="empty"),
    ],
)
async def test_what_shows_nothing_stays_as_it_is(body: dict[str, Any]) -> None:
    """A listing without deployments and metadata is not changed."""
    assert (await answered(JSONResponse(body), "/v1/models")).json() == body


async def test_an_error_stays_as_it_is() -> None:
    """Only a 200 is rewritten."""
    answer = await answered(PlainTextResponse("no such model", status_code=404))

    assert (answer.status_code, answer.text) == (404, "no such model")


@pytest.mark.parametrize(
    ("path", "method"), [("/v1/models/main", "GET"), ("/v1/model/info", "POST"), ("/v1/chat", "GET")]
)
async def test_other_routes_are_left_alone(path: str, method: str) -> None:
    """What is no listing goes out byte for byte."""
    content = json.dumps({"data": [DEPLOYMENT]}, indent=2)

    assert (await answered(PlainTextResponse(content), path, method)).text == content


@pytest.mark.parametrize("content", ["deployments: secret", "[]", '"secret"'])
async def test_a_listing_that_cannot_be_looked_through_is_not_shown(content: str) -> None:
    """A 200 that is no JSON object becomes a 500 without a word of it."""
    answer = await answered(PlainTextResponse(content))

    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_showing_twice_is_showing_once() -> None:
    """What is shown has nothing more to leave out."""
    once = listing.outward({"data": [DEPLOYMENT]})

    assert listing.outward(once) == once
