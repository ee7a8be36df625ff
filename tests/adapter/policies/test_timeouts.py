"""Limits of attempts through LiteLLM's router: what falls back, what ends a stream, what the client gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing.mock_proxy import MockProxy
from tests import versions
from tests.real.faulty import FORMATS
from tests.real.timeout_cases import has_error

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTER = Path(__file__).parents[2] / "routers" / "timeouts.yaml"
CHAT = FORMATS["/chat/completions"]
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hello"}]}),
    "responses": ("/v1/responses", {"input": "hello"}),
    "messages": ("/v1/messages", {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """A gateway with limits."""
    async with MockProxy(ROUTER) as running:
        await running.chat("plain")  # LiteLLM imports much at its first request
        yield running


@pytest.fixture(autouse=True)
def _works_again(proxy: MockProxy, quiet: None) -> Any:
    yield
    for group in ("main", "alone", "plain", "rung"):
        proxy.upstream(group).works()


def _asked(proxy: MockProxy, group: str) -> int:
    return len(proxy.upstream(group).requests)


BEFORE = {
    "page": b"<!doctype html><html></html>",
    "JSON": b'{"choices": []}',
    "nothing": b"",
    "comments": b": ping\n\n: ping\n\n",
    "role": CHAT.opening,
    "empty": CHAT.opening + CHAT.end,
    "error": CHAT.error,
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", BEFORE)
async def test_a_stream_without_content_falls_back(proxy: MockProxy, name: str, route: str) -> None:
    """Before the first content each of these is a failed attempt, and the client sees the fallback alone."""
    proxy.upstream("main").says(BEFORE[name], stream=True)
    before = _asked(proxy, "rung")
    path, body = ROUTES[route]
    answer = await proxy.post(path, {"model": "main", "stream": True, **body})
    assert (answer.status, _asked(proxy, "rung") - before) == (200, 1)
    assert not has_error(answer.response.text)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_a_limit_is_not_retried(proxy: MockProxy, stream: bool) -> None:
    """A silent server is asked once, whatever `num_retries` says; then the fallback answers."""
    proxy.upstream("main").fails("silent")
    main, rung = _asked(proxy, "main"), _asked(proxy, "rung")
    answer = await proxy.chat("main", stream=stream)
    assert answer.status == 200
    assert (_asked(proxy, "main") - main, _asked(proxy, "rung") - rung) == (1, 1)


AFTER = {
    "unfinished": (CHAT.opening + CHAT.content, "ended its answer before it was complete"),
    "error": (CHAT.opening + CHAT.content + CHAT.error, "the engine died"),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", AFTER)
async def test_after_the_first_content_no_second_model_goes_on(
    proxy: MockProxy, name: str, route: str
) -> None:
    """The stream ends with an error event, and the fallback is not asked."""
    raw, said = AFTER[name]
    proxy.upstream("main").says(raw, stream=True)
    before = _asked(proxy, "rung")
    path, body = ROUTES[route]
    answer = await proxy.post(path, {"model": "main", "stream": True, **body})
    assert answer.status == 200
    assert "half" in answer.response.text
    assert said in answer.response.text
    assert _asked(proxy, "rung") == before


@pytest.mark.parametrize(
    ("stream", "limit"),
    [(True, "no content after 0.5 s (first_token)"), (False, "not finished after 1 s (total)")],
)
async def test_the_client_reads_which_limit(proxy: MockProxy, stream: bool, limit: str) -> None:
    """504 with the handle, the limit and its seconds, and nothing of the server."""
    proxy.upstream("alone").fails("silent")
    answer = await proxy.chat("alone", stream=stream)
    assert (answer.status, answer.error["type"]) == (504, "upstream_timeout")
    assert answer.error["message"].startswith(f"'alone' did not answer in time: {limit}.")
    assert answer.response.headers["x-should-retry"] == "false"
    assert "real-alone" not in answer.response.text


async def test_litellms_own_timeouts_come_later(proxy: MockProxy) -> None:
    """`timeout: 0.2` of the deployment ends nothing that our limits allow."""
    event = proxy.upstream("main").holds()
    before = _asked(proxy, "rung")

    asyncio.get_running_loop().call_later(0.35, event.set)
    answer = await proxy.chat("main", stream=True)
    assert (answer.status, _asked(proxy, "rung") - before) == (200, 0)


async def test_an_empty_whole_answer_falls_back(proxy: MockProxy) -> None:
    """`choices: []` is no answer."""
    proxy.upstream("main").says(b'{"id": "x", "object": "chat.completion", "created": 1, "choices": []}')
    before = _asked(proxy, "rung")
    answer = await proxy.chat("main")
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"]
    assert _asked(proxy, "rung") > before


BROKEN = {
    "page": (b"<!doctype html><html></html>", {"content-type": "text/html"}),
    "half": (b'{"id": "x", "object": "chat.completion", "choices": [{"index": 0, "mess', {}),
    "short": (b'{"id": "x"}', {"content-length": "999"}),
    "nothing": (b"", {}),
    "error": (b'{"error": {"message": "the engine died", "code": 500}}', {}),
    "list": (b"[]", {}),
    "no choices": (
        b'{"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}',
        {},
    ),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_whole_answer_falls_back(proxy: MockProxy, name: str, route: str) -> None:
    """A 200 that is no answer, or breaks off, is a failed attempt, and the fallback answers."""
    raw, headers = BROKEN[name]
    proxy.upstream("main").says(raw, headers=headers)
    before = _asked(proxy, "rung")
    path, body = ROUTES[route]
    answer = await proxy.post(path, {"model": "main", **body})
    assert (answer.status, answer.json["model"]) == (200, "main"), answer.text
    assert _asked(proxy, "rung") - before == 1
    assert "real-rung" not in answer.text


@pytest.mark.parametrize("route", ROUTES)
async def test_a_connection_that_breaks_in_a_whole_answer_falls_back(proxy: MockProxy, route: str) -> None:
    """Half of an answer is no answer."""
    proxy.upstream("main").fails("drop")
    before = _asked(proxy, "rung")
    path, body = ROUTES[route]
    answer = await proxy.post(path, {"model": "main", **body})
    assert (answer.status, _asked(proxy, "rung") - before) == (200, 1)


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_whole_answer_without_a_fallback_is_an_error(proxy: MockProxy, name: str) -> None:
    """Never a 200, and nothing of the server in it."""
    raw, headers = BROKEN[name]
    proxy.upstream("alone").says(raw, headers=headers)
    answer = await proxy.chat("alone")
    assert answer.status >= 500, answer.text
    assert answer.error["message"]
    assert "real-alone" not in answer.text


async def test_a_group_without_limits_is_left_alone(proxy: MockProxy) -> None:
    """What LiteLLM makes of a stream that breaks off stays as it is."""
    proxy.upstream("plain").says(CHAT.opening + CHAT.content, stream=True)
    answer = await proxy.chat("plain", stream=True)
    assert (answer.status, has_error(answer.response.text)) == (200, versions.CUT_CHATS_FAIL)
