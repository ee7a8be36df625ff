"""Slots together with limits of attempts: a slot lasts as long as the request at the backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.testing import MockProxy
from tests.adapter.lane import document, group, proxy_on
from tests.adapter.policies.test_queue import BODIES, GPU, until, waiting

STREAMED = ("/v1/chat/completions", "/v1/messages", "/v1/responses")


def config() -> dict[str, Any]:
    """A handle with a short `total` on a GPU with one slot, and its fallback elsewhere."""
    models = [
        group("main", api_base=f"{GPU}/v1", use_chat_completions_api=True),
        group("slow", api_base=f"{GPU}/v1", use_chat_completions_api=True),
        group("cloud", api_base="http://127.0.0.1:9000/v1", use_chat_completions_api=True),
    ]
    found = document(models, {}, internal=(), fallbacks={"main": ["cloud"]})
    found["homelab"]["backends"] = {
        "gpu": {"at": [GPU], "slots": 1, "queue": {"length": 5, "wait_seconds": 20}}
    }
    found["homelab"]["timeouts"] = {"main": {"first_token": 0.5, "total": 0.5}, "slow": {"total": 60}}
    found["router_settings"]["num_retries"] = 2
    return found


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[MockProxy]:
    """The mocked proxy on `config`; LiteLLM has its imports by its first request."""
    async with proxy_on(tmp_path, config()) as found:
        await found.chat("cloud")
        yield found


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", STREAMED)
async def test_an_attempt_that_timed_out_gives_its_slot_back(
    proxy: MockProxy, path: str, stream: bool
) -> None:
    """The fallback answers, and the next request finds the slot free."""
    upstream = proxy.upstream("main")
    upstream.fails("silent")
    answer = await proxy.post(path, {"model": "main", "stream": stream, **BODIES[path]})
    assert (answer.status, len(upstream.requests)) == (200, 1)
    upstream.works()
    answer = await proxy.chat("slow")
    assert answer.status == 200
    assert "x-homelab-queue-seconds" not in answer.response.headers


@pytest.mark.parametrize("path", STREAMED)
async def test_an_attempt_with_limits_holds_its_slot_to_the_end(proxy: MockProxy, path: str) -> None:
    """While its answer is under way, a second request waits."""
    upstream = proxy.upstream("slow")
    held = upstream.holds()
    asked = {"model": "slow", "stream": True, **BODIES[path]}
    first = asyncio.create_task(proxy.post(path, asked))
    await until(lambda: len(upstream.requests) == 1)
    second = asyncio.create_task(proxy.post(path, asked))
    await until(lambda: waiting() == 1)
    assert len(upstream.requests) == 1
    held.set()
    assert [one.status for one in await asyncio.gather(first, second)] == [200, 200]
    assert len(upstream.requests) == 2


async def test_the_time_in_the_queue_is_none_of_the_limits(proxy: MockProxy) -> None:
    """A request that waits for longer than `total` is sent and answered by its own backend."""
    slow = proxy.upstream("slow")
    held = slow.holds()
    first = asyncio.create_task(proxy.chat("slow"))
    await until(lambda: len(slow.requests) == 1)
    second = asyncio.create_task(proxy.chat("main"))
    await until(lambda: waiting() == 1)
    await asyncio.sleep(1)  # longer than `total`
    held.set()
    assert (await first).status == 200
    assert (await second).status == 200
    assert len(proxy.upstream("main").requests) == 1
    assert len(proxy.upstream("cloud").requests) == 1  # the fixture's own


async def test_a_group_that_timed_out_is_not_queued_for_again(proxy: MockProxy) -> None:
    """While the slot is taken again, the fallback answers without a wait for it."""
    main, slow = proxy.upstream("main"), proxy.upstream("slow")
    main.fails("silent")
    held = slow.holds()
    timed = asyncio.create_task(proxy.chat("main"))
    await until(lambda: len(main.requests) == 1)
    busy = asyncio.create_task(proxy.chat("slow"))
    async with asyncio.timeout(15):
        assert (await timed).status == 200
    assert len(main.requests) == 1
    held.set()
    assert (await busy).status == 200


@pytest.mark.parametrize(
    ("first", "then", "status", "kind"),
    [
        pytest.param("main", "slow", 504, "upstream_timeout", id="timeout-then-full"),
        pytest.param("slow", "main", 429, "backend_busy", id="full-then-timeout"),
    ],
)
async def test_the_client_hears_of_the_first_attempt(
    tmp_path: Path, first: str, then: str, status: int, kind: str
) -> None:
    """Where one group times out and the other is full, the error is that of the handle that was asked for."""
    content = config()
    content["model_list"][0]["litellm_params"]["api_base"] = "http://127.0.0.1:9001/v1"
    content["homelab"]["backends"]["gpu"]["queue"] = {"length": 0}
    content["router_settings"]["fallbacks"] = [{first: [then]}]
    async with proxy_on(tmp_path, content) as proxy:
        await proxy.chat("cloud")
        held = proxy.upstream("slow").holds()
        busy = asyncio.create_task(proxy.chat("slow"))
        await until(lambda: len(proxy.upstream("slow").requests) == 1)
        proxy.upstream("main").fails("silent")
        answer = await proxy.chat(first)
        assert (answer.status, answer.error["type"]) == (status, kind)
        assert len(proxy.upstream("main").requests) == 1
        held.set()
        assert (await busy).status == 200
