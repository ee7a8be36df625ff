"""`search.web`: what the gateway is asked, and what is made of its answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx
import pytest

from litellm_homelab.mcp_server import search as module
from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.search import (
    GatewaySearch,
    SearchUnusable,
    gateway_search,
    search_address,
)

KEY = "sk-callers-own-key-1"
RESULTS: dict[str, Any] = {
    "object": "search",
    "results": [
        {"title": "One", "url": "https://example.org/1", "snippet": "first\n words", "date": "2026-01-02"},
        {"title": "Two\x1b[31m", "url": "https://example.org/2", "snippet": "x" * 600},
        "not a result",
        {"title": None, "url": None},
    ],
}
Answer = Callable[[httpx.Request], httpx.Response]


def searching(answer: Answer, seconds: float = 30.0) -> GatewaySearch:
    """A search on a gateway that answers so."""

    def streamed(request: httpx.Request) -> httpx.Response:
        found = answer(request)
        if not hasattr(found, "_content"):
            return found
        return httpx.Response(
            found.status_code, headers=found.headers, stream=httpx.ByteStream(found.content)
        )

    address = search_address("http://127.0.0.1:4000", "searxng-search", KEY)
    return GatewaySearch(address, httpx.MockTransport(streamed), seconds)


async def test_a_search() -> None:
    """One request with the caller's key; results as a list, no more than were asked for."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=RESULTS)

    said = await searching(answer).search("home lab", 2)
    assert said == (
        "1. One\n   https://example.org/1\n   2026-01-02\n   first words\n\n"
        f"2. Two[31m\n   https://example.org/2\n   {'x' * 497}..."
    )
    (request,) = asked
    assert str(request.url) == "http://127.0.0.1:4000/v1/search/searxng-search"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(request.content) == {"query": "home lab", "max_results": 2}


async def test_an_incomplete_result() -> None:
    """What a result lacks is left out."""
    assert (await searching(lambda _: httpx.Response(200, json=RESULTS)).search("x", 9)).endswith(
        "3. without a title"
    )


async def test_nothing_found() -> None:
    """That is an answer, not a fault."""
    said = await searching(lambda _: httpx.Response(200, json={"results": []})).search("x", 5)
    assert said == "Nothing was found. Try other words."


ERROR = {"error": {"message": "You may not\nuse this route.", "type": "route_not_allowed"}}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(401, json=ERROR), r"does not know the key of this tool \(401\)"),
        (httpx.Response(403, json=ERROR), r"refused the search \(403\): You may not use this route\."),
        (httpx.Response(500, text="<html>"), r"refused the search \(500\)\."),
        (httpx.Response(503, json={"error": "x"}), r"refused the search \(503\)\."),
        (httpx.Response(307, headers={"location": "http://elsewhere/"}), r"refused the search \(307\)\."),
        (httpx.Response(200, text="<html>"), "not that of a search"),
        (httpx.Response(200, json={"results": {}}), "not that of a search"),
        (httpx.Response(200, json=[]), "not that of a search"),
        (httpx.Response(200, text="[" * 100_000), "not that of a search"),
    ],
)
async def test_faults(answer: httpx.Response, why: str) -> None:
    """In words for a model; a redirect is not followed, so the key goes nowhere else."""
    with pytest.raises(ToolFault, match=why):
        await searching(lambda _: answer).search("x", 5)


async def test_no_gateway() -> None:
    """Nothing of the address is said."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ToolFault, match=r"^The gateway cannot be reached; the search is not possible now\.$"):
        await searching(refuse).search("x", 5)
    with pytest.raises(ToolFault, match="cannot be reached"):
        await gateway_search(search_address("http://127.0.0.1:1", "s", KEY)).search("x", 5)


class _Silent(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        await anyio.sleep_forever()
        yield b""


async def test_a_gateway_that_is_silent() -> None:
    """The search ends in time."""
    with pytest.raises(ToolFault, match=r"did not answer within 0\.1 seconds"):
        await searching(lambda _: httpx.Response(200, stream=_Silent()), 0.1).search("x", 5)


async def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read so far and no further."""
    monkeypatch.setattr(module, "LONGEST", 1000)
    with pytest.raises(ToolFault, match="too long"):
        await searching(lambda _: httpx.Response(200, text="x" * 1001)).search("x", 5)


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/v1/search/s"),
        ("https://gateway.example/v1/", "https://gateway.example/v1/search/s"),
        ("gateway:4000/lab/", "http://gateway:4000/lab/v1/search/s"),
    ],
)
def test_addresses(base: str, url: str) -> None:
    """With and without scheme, path and `/v1`; the key is not in what is printed of it."""
    address = search_address(base, "s", KEY)
    assert address.url == url
    assert KEY not in repr(address)


@pytest.mark.parametrize(
    ("base", "tool", "key", "why"),
    [
        ("ftp://gateway", "s", KEY, "address of the gateway is not usable"),
        ("http://", "s", KEY, "address of the gateway is not usable"),
        ("http://gate way", "s", KEY, "address of the gateway is not usable"),
        ("http://user:word@gateway", "s", KEY, "more in it"),
        ("http://gateway?key=x", "s", KEY, "more in it"),
        ("http://gateway", "../chat/completions", KEY, "name of the search tool"),
        ("http://gateway", "", KEY, "name of the search tool"),
        ("http://gateway", "s", "", "the key is empty"),
        ("http://gateway", "s", "sk\u00fc", "the key is empty"),
    ],
)
def test_what_cannot_be_used(base: str, tool: str, key: str, why: str) -> None:
    """The name of a search tool leads to no other route."""
    with pytest.raises(SearchUnusable, match=why):
        search_address(base, tool, key)
