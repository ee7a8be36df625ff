"""What the last line rests on in LiteLLM, and who is asked about what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import litellm
import pytest
from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler, get_async_httpx_client
from litellm.llms.openai.common_utils import BaseOpenAILLM
from litellm.types.llms.custom_http import httpxSpecialProvider
from litellm.types.utils import LlmProviders
from openai import AsyncOpenAI

from litellm_homelab.adapter.litellm_api import transport
from litellm_homelab.adapter.policies import purposes
from litellm_homelab.testing.isolation import restored
from tests.adapter.recording_server import recording_server

WRAPPED = (*transport.ASYNC, *transport.SYNC, httpx2.AsyncHTTPTransport, httpx2.HTTPTransport)


class Closed:
    """Answers everything in place, and keeps what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def leaving(self, _: object, request: httpx.Request) -> httpx.Response:
        """Nothing leaves."""
        return self.leaving_sync(_, request)

    def leaving_sync(self, _: object, request: httpx.Request) -> httpx.Response:
        """Nothing leaves."""
        self.asked.append(str(request.url))
        return httpx.Response(400, json={"error": {"message": "closed"}}, request=request)


@pytest.fixture
def closed() -> Iterator[Closed]:
    """A watcher that lets nothing out."""
    watcher = Closed()
    transport.watch(watcher)
    with restored(litellm):
        yield watcher
    transport.watch(None)


def _clients() -> dict[str, Callable[[], Any]]:
    """Every way in which LiteLLM makes a client of its own."""
    return {
        "httpx providers": lambda: get_async_httpx_client(LlmProviders.MISTRAL).client,
        "openai's": lambda: BaseOpenAILLM.get_async_http_client(),
        "openai's default, of completions": lambda: (
            AsyncOpenAI(api_key="x", base_url="http://x.test")._client
        ),
        "images": lambda: litellm.module_level_aclient.client,
        "sync": lambda: HTTPHandler().client,
        "httpx2": lambda: httpx2.AsyncClient(),
        "httpx2, sync": lambda: httpx2.Client(),
    }


@pytest.mark.parametrize("aiohttp", [True, False], ids=["aiohttp", "httpx"])
@pytest.mark.parametrize("name", _clients())
async def test_every_client_sends_through_a_wrapped_class(
    closed: Closed, monkeypatch: pytest.MonkeyPatch, name: str, aiohttp: bool
) -> None:
    """With aiohttp and without, each asks the watcher; `create_async_transport` alone would miss some."""
    monkeypatch.setattr(litellm, "disable_aiohttp_transport", not aiohttp)
    client = _clients()[name]()
    sent = client.post("http://127.0.0.1:9/v1/chat/completions", json={})
    response = await sent if inspect.isawaitable(sent) else sent
    assert response.status_code == 400
    assert closed.asked == ["http://127.0.0.1:9/v1/chat/completions"]


async def test_a_client_that_was_made_before_is_watched_too(closed: Closed) -> None:
    """The methods of the classes are wrapped: LiteLLM keeps its clients for an hour."""
    transport.watch(None)
    client = AsyncHTTPHandler().client
    transport.watch(closed)
    await client.get("http://127.0.0.1:9/")
    assert closed.asked == ["http://127.0.0.1:9/"]


def test_wrapping_twice_wraps_once() -> None:
    """Each load of the package finds the classes as they were left."""
    transport.watch(None)
    before = [vars(one) for one in WRAPPED]
    methods = [{name: found[name] for name in found if name.startswith("handle_")} for found in before]
    transport.watch(None)
    assert [
        {name: vars(one)[name] for name in known} for one, known in zip(WRAPPED, methods, strict=True)
    ] == methods


@pytest.mark.parametrize("special", [one for one in httpxSpecialProvider if one.value in purposes.SPECIAL])
async def test_the_key_of_a_cached_client_says_what_it_is_for(special: httpxSpecialProvider) -> None:
    """With arguments and without."""
    for params in (None, {"timeout": 7.0}):
        client = get_async_httpx_client(special, params).client
        assert purposes.purpose(client._transport) == special.value


@pytest.mark.parametrize("provider", LlmProviders)
async def test_a_providers_client_is_for_upstreams(provider: LlmProviders) -> None:
    """However its name ends."""
    for params in (None, {"timeout": 7.0}):
        client = get_async_httpx_client(provider, params).client
        assert purposes.purpose(client._transport) is None


async def test_a_transport_that_litellm_does_not_keep_is_for_upstreams() -> None:
    """Nobody can tell what it is for, so it is looked at."""
    assert purposes.purpose(LiteLLMAiohttpTransport(client=lambda: None)) is None
    assert purposes.purpose(httpx.AsyncHTTPTransport()) is None


async def test_what_is_changed_of_an_httpx2_request_leaves_changed() -> None:
    """Address, headers and body: whoever decides sees a copy in httpx's types."""

    def to(_: object, request: httpx.Request) -> httpx.Request:
        request.url = httpx.URL(backend.url)
        request.headers["x-changed"] = "yes"
        request.headers["content-length"] = "2"
        request._content = b"{}"
        return request

    with recording_server() as backend:
        transport.divert(to)
        try:
            async with httpx2.AsyncClient() as client:
                await client.post("http://elsewhere.test/here", json={"model": "x"})
        finally:
            transport.divert(None)
    (sent,) = backend.requests
    assert sent.startswith("/v1\n")
    assert "x-changed: yes" in sent
    assert sent.endswith("\n{}")
