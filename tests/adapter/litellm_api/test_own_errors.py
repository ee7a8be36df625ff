"""Errors that LiteLLM raises before anything is sent: what the client gets, and that no group is asked."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.adapter.failing import ROUTER, TEXT, resting

CHAT = "/v1/chat/completions"
IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")
UNSUPPORTED = {"model": "strict", "messages": TEXT, "logit_bias": {"1": 1}}
CASES: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "an unsupported parameter": (CHAT, UNSUPPORTED, 400, "logit_bias"),
    "a number for n": (CHAT, {"model": "strict", "messages": TEXT, "n": 2}, 400, "n"),
    "a message that is a number": (CHAT, {"model": "strict", "messages": [5]}, 400, ""),
    "messages that are a text": (CHAT, {"model": "strict", "messages": "hello"}, 400, ""),
    "a content part that is a number": (
        CHAT,
        {"model": "main", "messages": [{"role": "user", "content": [5]}]},
        400,
        "",
    ),
    "an image without an address": (
        CHAT,
        {"model": "strict", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        400,
        "",
    ),
    "input that is a number": ("/v1/responses", {"model": "main", "input": 5}, 400, ""),
    "an item that is a number": ("/v1/responses", {"model": "main", "input": [5]}, 400, ""),
    "contents that are a number": ("/v1beta/models/main:generateContent", {"contents": 5}, 400, ""),
    "a prompt that is an object": ("/v1/completions", {"model": "main", "prompt": {"x": 1}}, 400, ""),
    "no voice": ("/v1/audio/speech", {"model": "speak", "input": "hello"}, 400, "voice"),
}
"""Route, body, status, and a word that the text must have."""
STREAMED = ("/v1/responses", CHAT)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """Every group has a fallback."""
    async with MockProxy(ROUTER) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each failure, which takes longer than the failure."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@IN_THE_LOOP
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", CASES)
async def test_litellms_own_error_goes_to_the_client(proxy: MockProxy, name: str, stream: bool) -> None:
    """Its status and its text; no backend is asked, neither this group's nor the next one's."""
    path, body, status, word = CASES[name]
    streaming = {"stream": True} if stream and path in STREAMED else {}
    for _ in range(3):
        answer = await proxy.post(path, {**body, **streaming})
        assert (answer.status, answer.sent_to) == (status, []), answer.text
        assert word in answer.text
        assert "real-" not in answer.text
    assert resting() == []


@IN_THE_LOOP
async def test_the_next_request_is_served(proxy: MockProxy) -> None:
    """An error ends its own request only."""
    await proxy.post(CHAT, UNSUPPORTED)
    assert (await proxy.chat("strict")).sent_to == ["strict"]


@IN_THE_LOOP
async def test_what_an_upstream_answers_still_goes_on(proxy: MockProxy) -> None:
    """Its 400 may be this provider's own; the next group is asked as the operator configured it."""
    for kind in ("400", "500"):
        proxy.upstream("strict").fails(kind, times=1)
        assert (await proxy.chat("strict")).sent_to == ["strict", "rung"]


@IN_THE_LOOP
async def test_an_error_in_a_fallback_ends_the_walk(proxy: MockProxy) -> None:
    """The client gets the first group's error; no later group is asked with what the second cannot send."""
    proxy.upstream("first").fails("500", times=1)
    answer = await proxy.post(CHAT, {**UNSUPPORTED, "model": "first"})
    assert (answer.status, answer.sent_to) == (500, ["first"]), answer.text
