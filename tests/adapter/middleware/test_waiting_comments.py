"""A stream that waits for a backend: comments in time, then the answer or the route's own error event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from litellm.proxy.proxy_server import app
from prometheus_client import generate_latest

from litellm_homelab.adapter.middleware import waiting_comments
from litellm_homelab.config.sections import BackendSection
from litellm_homelab.demo.listener import HOST, Listener
from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.mock_proxy import MASTER_KEY
from tests.adapter.lane import CONTENTS, proxy_on
from tests.adapter.policies.test_queue import BODIES, config, until

EVERY = 0.2
"""Seconds between comments here."""
COMMENT = waiting_comments.COMMENT.decode()
GEMINI = "/v1beta/models/main:streamGenerateContent?alt=sse"
STREAMS: dict[str, dict[str, Any]] = {
    **{path: {"model": "main", "stream": True, **body} for path, body in BODIES.items()},
    GEMINI: {"contents": CONTENTS},
}
NAMED = ("/v1/messages", "/v1/responses")
"""Routes whose error events have a name."""
ENDED_BY_DONE = ("/v1/chat/completions", "/v1/completions")
LEFT = 10
"""Seconds in which a busy machine notices that a client has left; it would keep its place for 30."""
ORIGIN = "http://a-page.example"


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway on a port, with one slot at its GPU."""

    proxy: MockProxy
    url: str
    client: httpx.AsyncClient

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[asyncio.Event]:
        """One request holds the slot until the event is set, or the block ends."""
        upstream = self.proxy.upstream("main")
        seen, held = len(upstream.requests), upstream.holds()
        first = asyncio.create_task(self.proxy.chat("main"))
        await until(lambda: len(upstream.requests) > seen)
        try:
            yield held
        finally:
            held.set()
            await first


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Start a gateway whose requests wait at most so long, with comments so often."""
    async with AsyncExitStack() as stack:

        async def started(every: float = EVERY, wait_seconds: int = 30) -> Running:
            monkeypatch.setattr(waiting_comments, "SECONDS", every)
            content = config(queue={"length": 5, "wait_seconds": wait_seconds})
            proxy = await stack.enter_async_context(proxy_on(tmp_path, content))
            listener = Listener(app, 0)
            await listener.up()
            stack.push_async_callback(listener.close)
            url = f"http://{HOST}:{listener.port}"
            headers = {"Authorization": f"Bearer {MASTER_KEY}"}
            client = httpx.AsyncClient(base_url=url, headers=headers, timeout=60)
            await stack.enter_async_context(client)
            assert (await proxy.chat("cloud")).status == 200  # LiteLLM has its imports by its first request
            return Running(proxy, url, client)

        yield started


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_that_waits_has_comments_and_then_its_answer(start: Start, path: str) -> None:
    """Bytes come while the slot is taken; after them comes the very stream that would have come at once."""
    gateway = await start()
    usual = await gateway.client.post(path, json=STREAMS[path])
    async with (
        gateway.busy() as held,
        gateway.client.stream("POST", path, json=STREAMS[path], headers={"origin": ORIGIN}) as answer,
    ):
        parts = answer.aiter_text()
        assert [await anext(parts) for _ in range(3)] == [COMMENT] * 3
        held.set()
        rest = "".join([part async for part in parts])
    assert (usual.status_code, answer.status_code) == (200, 200)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert shape(rest.replace(COMMENT, "")) == shape(usual.text)


def shape(text: str) -> list[str]:
    """The lines of a stream, with the names of their fields in the place of what differs each time."""
    return [
        " ".join(sorted(json.loads(line[5:]))) if line.startswith("data: {") else line
        for line in text.splitlines()
    ]


@pytest.mark.parametrize("path", STREAMS)
async def test_a_late_refusal_is_an_error_event(start: Start, path: str) -> None:
    """A stream that has waited for too long ends with the error event of its route."""
    gateway = await start(wait_seconds=1)
    async with gateway.busy():
        answer = await gateway.client.post(path, json=STREAMS[path])
    assert answer.status_code == 200
    comments, _, said = answer.text.rpartition(COMMENT)
    assert comments.replace(COMMENT, "") == ""
    lines = said.splitlines()
    assert ("event: error" in lines) is (path in NAMED)
    assert ("data: [DONE]" in lines) is (path in ENDED_BY_DONE)
    data = [json.loads(line[5:]) for line in lines if line.startswith("data: {")]
    assert len(data) == 1
    assert "no slot was free for it within 1 s" in data[0]["error"]["message"]
    assert gateway.proxy.upstream("main").requests[1:] == []


async def test_an_error_of_the_backend_comes_as_an_event_too(start: Start) -> None:
    """What fails after the wait fails as on a stream that has begun, and names no backend."""
    gateway = await start()
    path = "/v1/chat/completions"
    async with gateway.busy() as held, gateway.client.stream("POST", path, json=STREAMS[path]) as answer:
        parts = answer.aiter_text()
        assert await anext(parts) == COMMENT
        gateway.proxy.upstream("main").fails(500)
        held.set()
        rest = "".join([part async for part in parts]).replace(COMMENT, "")
    assert rest.startswith('data: {"error":')
    assert rest.endswith("data: [DONE]\n\n")
    assert "real-main" not in rest


@pytest.mark.parametrize("path", BODIES)
async def test_an_answer_in_one_piece_has_its_real_status(start: Start, path: str) -> None:
    """A request that asked for no stream gets no comment, and 429 with `retry-after`."""
    gateway = await start(wait_seconds=1)
    async with gateway.busy():
        answer = await gateway.client.post(path, json={**STREAMS[path], "stream": False})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert COMMENT not in answer.text


@pytest.mark.parametrize("path", STREAMS)
async def test_before_the_first_comment_the_status_is_the_real_one(start: Start, path: str) -> None:
    """Until the first comment is due, a refusal is a 429 with its headers."""
    gateway = await start(every=60, wait_seconds=1)
    async with gateway.busy():
        answer = await gateway.client.post(path, json=STREAMS[path])
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert float(answer.headers["x-homelab-queue-seconds"]) >= 1


async def test_before_the_first_comment_the_headers_are_the_real_ones(start: Start) -> None:
    """A stream that waits for a short time says for how long."""
    gateway = await start(every=60)
    path = "/v1/chat/completions"
    async with gateway.busy() as held:
        second = asyncio.create_task(gateway.client.post(path, json=STREAMS[path]))
        await asyncio.sleep(0.5)
        held.set()
        answer = await second
    assert answer.status_code == 200
    assert float(answer.headers["x-homelab-queue-seconds"]) >= 0.4
    assert COMMENT not in answer.text


async def test_a_client_that_leaves_during_the_comments_frees_its_place(start: Start) -> None:
    """Its place in the queue is free within a second, and its request is never sent."""
    gateway = await start()
    path = "/v1/chat/completions"
    async with gateway.busy() as held:
        async with gateway.client.stream("POST", path, json=STREAMS[path]) as answer:
            assert await anext(answer.aiter_text()) == COMMENT
            assert (await waiting(gateway)) == 1
        async with asyncio.timeout(1):
            while await waiting(gateway):  # noqa: ASYNC110 - the queue sets no event
                await asyncio.sleep(0.02)
        held.set()
        assert (await gateway.proxy.chat("main")).status == 200
    assert len(gateway.proxy.upstream("main").requests) == 2


async def waiting(gateway: Running) -> int:
    """How many requests wait for the GPU, as the metrics say."""
    text = generate_latest().decode()
    found = [line for line in text.splitlines() if line.startswith('homelab_queue_length{backend="gpu"}')]
    return int(float(found[0].split()[-1]))


@pytest.mark.parametrize("name", ["chat", "completions", "responses"])
async def test_openais_sdk_raises_a_late_refusal(start: Start, name: str) -> None:
    """It skips the comments, and raises what the event says."""
    gateway = await start(wait_seconds=1)
    client = openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key=MASTER_KEY, max_retries=0)
    async with gateway.busy(), client:
        calls: dict[str, Any] = {
            "chat": client.chat.completions.create,
            "completions": client.completions.create,
            "responses": client.responses.create,
        }
        path = {"chat": "/v1/chat/completions"}.get(name, f"/v1/{name}")
        with pytest.raises(openai.APIError, match="no slot was free") as raised:
            _ = [event async for event in await calls[name](**STREAMS[path])]
    assert raised.value.type == "backend_busy"


async def test_anthropics_sdk_raises_a_late_refusal(start: Start) -> None:
    """It skips the comments, and raises what the event says."""
    gateway = await start(wait_seconds=1)
    client = anthropic.AsyncAnthropic(base_url=gateway.url, api_key=MASTER_KEY, max_retries=0)
    create: Any = client.messages.create
    async with gateway.busy(), client:
        with pytest.raises(anthropic.APIStatusError, match="no slot was free"):
            _ = [event async for event in await create(**STREAMS["/v1/messages"])]


def test_where_no_backend_has_slots_there_are_no_comments() -> None:
    """Nothing is added to requests that never wait."""
    at = {"at": ["http://127.0.0.1:8000"]}
    assert waiting_comments.seconds([]) is None
    assert waiting_comments.seconds([BackendSection.model_validate(at)]) is None
    slots = BackendSection.model_validate({**at, "slots": 1})
    assert waiting_comments.seconds([slots]) == waiting_comments.SECONDS == 15
