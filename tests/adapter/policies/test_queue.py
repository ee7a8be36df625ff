"""Slots and queues of backends, over stock LiteLLM: who waits, who is skipped, what the client gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from litellm_homelab.adapter.policies import queue
from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.answer import Answer
from tests.adapter.lane import TEXT, document, group, key_of, proxy_on

GPU = "http://127.0.0.1:8000"
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/responses": {"input": "hello"},
    "/v1/completions": {"prompt": "hello"},
}


def config(**backend: Any) -> dict[str, Any]:
    """Two handles on one GPU and one elsewhere; the GPU has a slot, and two may wait for 5 s."""
    models = [
        group("main", api_base=f"{GPU}/v1"),
        group("fast", api_base=f"{GPU}/v1"),
        group("cloud", api_base="http://127.0.0.1:9000/v1"),
    ]
    found = document(models, {}, internal=(), fallbacks={"fast": ["cloud"]})
    gpu = {"at": [GPU], "slots": 1, "queue": {"length": 2, "wait_seconds": 5}, **backend}
    found["homelab"]["backends"] = {"gpu": gpu}
    found["homelab"]["callers"]["app"] = {"key": "sk-app-app-app", "priority": "high"}
    found["homelab"]["priorities"] = {"fast": "low"}
    return found


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[MockProxy]:
    """The mocked proxy on `config`."""
    async with proxy_on(tmp_path, config()) as found:
        yield found


async def until(condition: Any) -> None:
    """Wait, at most a minute, until a condition is true."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what the upstream has received sets no event
            await asyncio.sleep(0.01)


def waiting() -> int:
    """How many requests wait for the GPU, as the metrics say."""
    lines = generate_latest().decode().splitlines()
    found = [line for line in lines if line.startswith('homelab_queue_length{backend="gpu"}')]
    return int(float(found[0].split()[-1])) if found else 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", BODIES)
async def test_a_request_waits_for_its_turn(proxy: MockProxy, path: str, stream: bool) -> None:
    """While the one slot is taken, a second request waits, says for how long, and is served."""
    upstream = proxy.upstream("main")
    held = upstream.holds()
    first = asyncio.create_task(proxy.post(path, {"model": "main", "stream": stream, **BODIES[path]}))
    await until(lambda: len(upstream.requests) == 1)
    second = asyncio.create_task(proxy.post(path, {"model": "main", "stream": stream, **BODIES[path]}))
    await until(lambda: waiting() == 1)
    await asyncio.sleep(0.3)  # the time that the answer must name
    assert len(upstream.requests) == 1
    held.set()
    answers = await asyncio.gather(first, second)
    assert [one.status for one in answers] == [200, 200]
    assert "x-homelab-queue-seconds" not in answers[0].response.headers
    assert float(answers[1].response.headers["x-homelab-queue-seconds"]) >= 0.25
    assert len(upstream.requests) == 2


async def test_a_backend_without_slots_has_no_limit(proxy: MockProxy) -> None:
    """Another backend's requests do not wait."""
    proxy.upstream("main").holds()
    busy = asyncio.create_task(proxy.chat("main"))
    await until(lambda: len(proxy.upstream("main").requests) == 1)
    assert (await proxy.chat("cloud")).status == 200
    busy.cancel()


async def fill(proxy: MockProxy, number: int) -> tuple[asyncio.Event, list[asyncio.Task[Answer]]]:
    """Have one request at the GPU and so many behind it; what lets the first one go, and all of them."""
    upstream = proxy.upstream("main")
    held = upstream.holds()
    tasks = [asyncio.create_task(proxy.chat("main"))]
    await until(lambda: len(upstream.requests) == 1)
    tasks += [asyncio.create_task(proxy.chat("main")) for _ in range(number)]
    await until(lambda: waiting() == number)
    return held, tasks


@pytest.mark.parametrize("path", BODIES)
async def test_a_full_queue_is_a_429_once(proxy: MockProxy, path: str) -> None:
    """Where as many wait as may, the client gets `backend_busy`, and nothing is sent."""
    held, tasks = await fill(proxy, 2)
    answer = await proxy.post(path, {"model": "main", **BODIES[path]})
    assert answer.status == 429
    word = "rate_limit_error" if path == "/v1/messages" else "backend_busy"  # Anthropic's for a 429
    assert answer.json["error"]["type"] == word
    assert int(answer.response.headers["retry-after"]) >= 1
    assert answer.calls == ()
    held.set()
    assert [one.status for one in await asyncio.gather(*tasks)] == [200] * 3


async def test_a_full_queue_goes_on_with_the_fallback(proxy: MockProxy) -> None:
    """With a fallback the chain goes on without a call, a retry or a cooldown of the busy group."""
    held, tasks = await fill(proxy, 2)
    for _ in range(5):
        async with asyncio.timeout(2):
            assert (await proxy.chat("fast")).status == 200
    assert len(proxy.upstream("cloud").requests) == 5
    assert proxy.upstream("fast").requests == []
    held.set()
    await asyncio.gather(*tasks)
    assert (await proxy.chat("fast")).status == 200
    assert len(proxy.upstream("fast").requests) == 1


@pytest.mark.parametrize("policy", [{}, {"RateLimitErrorRetries": 3, "TimeoutErrorRetries": 3}])
async def test_who_waited_too_long_is_not_tried_again(tmp_path: Path, policy: dict[str, int]) -> None:
    """After `wait_seconds` the request ends, whatever a retry policy says."""
    content = config(queue={"length": 5, "wait_seconds": 1})
    content["router_settings"] |= {"num_retries": 3, "retry_policy": policy}
    async with proxy_on(tmp_path, content) as proxy:
        held, tasks = await fill(proxy, 0)
        async with asyncio.timeout(3):
            answer = await proxy.chat("main")
        assert (answer.status, answer.json["error"]["type"]) == (429, "backend_busy")
        held.set()
        await asyncio.gather(*tasks)


async def test_high_priority_overtakes(proxy: MockProxy) -> None:
    """The caller's high priority goes before those who came earlier."""
    held, tasks = await fill(proxy, 1)
    order: list[str] = []
    tasks[1].add_done_callback(lambda _: order.append("normal"))
    people = proxy.post("/v1/chat/completions", {"model": "main", "messages": TEXT}, headers=key_of("app"))
    high = asyncio.create_task(people)
    high.add_done_callback(lambda _: order.append("high"))
    await until(lambda: waiting() == 2)
    held.set()
    await asyncio.gather(*tasks, high)
    assert order == ["high", "normal"]


async def test_who_leaves_frees_its_place(proxy: MockProxy) -> None:
    """A client that leaves while it waits makes room for the next one."""
    held, tasks = await fill(proxy, 2)
    tasks.pop().cancel()
    await until(lambda: waiting() == 1)
    next_one = asyncio.create_task(proxy.chat("main"))
    await until(lambda: waiting() == 2)
    assert not next_one.done()
    held.set()
    assert (await next_one).status == 200
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("fault", [500, 429, "down", "drop"])
async def test_a_failed_attempt_gives_its_slot_back(proxy: MockProxy, fault: int | str) -> None:
    """After errors of the upstream the slot is free for the next request."""
    upstream = proxy.upstream("main")
    upstream.fails(fault)
    assert (await proxy.chat("main")).status >= 400
    upstream.works()
    async with asyncio.timeout(3):
        assert (await proxy.chat("main")).status == 200


@pytest.mark.parametrize(("written", "number"), [(None, 1), ("4", 4), ("x", 1)])
def test_workers_are_read_from_the_environment(written: str | None, number: int) -> None:
    """LiteLLM leaves the number of workers in the environment."""
    environ = {} if written is None else {"NUM_WORKERS": written}
    assert queue.workers(environ) == number
