"""Slots and their queue over four real workers, on SQLite and on Redis, by the backend's own count."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from litellm_homelab.backends.slots import LEASE_SECONDS
from tests.adapter.lane import CALLERS, KEYS, document, group
from tests.real.gateway import START_SECONDS, free_port, litellm, workers
from tests.real.lane.rig import PATIENCE
from tests.real.upstreams import listening
from tests.state.backends import redis_server

pytestmark = pytest.mark.real

MASTER = "sk-master-of-queues"
WORKERS, SLOTS, CLIENTS = 4, 2, 64
QUEUE = CLIENTS - SLOTS
STARTED = "Application startup complete"
SLACK = 5.0
"""Seconds that a busy machine may add to a lease."""
WAITED = "x-homelab-queue-seconds"
LENGTH = re.compile(r'^homelab_queue_length\{backend="gpu"\} (\S+)$', re.MULTILINE)


ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "real-main",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class Gpu:
    """A chat server that counts what it has at a time, and answers when it is let."""

    def __init__(self) -> None:
        self.now = self.peak = 0
        self.came: dict[str, float] = {}
        """When each request came, by its text, in their order."""
        self.is_open = True
        self.permits = 0
        """How many requests it may answer while it is not open."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3)."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.came[json.loads(body)["messages"][0]["content"]] = time.monotonic()
        self.now += 1
        self.peak = max(self.peak, self.now)
        leaving = asyncio.ensure_future(receive())
        try:
            while not (self._may_answer() or leaving.done()):  # noqa: ASYNC110 - the test is in another thread
                await asyncio.sleep(0.005)
        finally:
            self.now -= 1
            leaving.cancel()
        await JSONResponse(ANSWER)(scope, receive, send)

    def _may_answer(self) -> bool:
        if not self.is_open and self.permits:
            self.permits -= 1
            return True
        return self.is_open


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway of four workers, and the backend with two slots behind it."""

    gpu: Gpu
    url: str
    port: int

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Ask it, each time on a new connection, so that every worker gets some; no answer before the end."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self.gpu.is_open = False
        self.gpu.came.clear()
        async with httpx.AsyncClient(base_url=self.url, limits=limits, timeout=120) as http:
            client = Client(http, self.gpu)
            try:
                yield client
            finally:
                self.gpu.is_open = True
                await asyncio.gather(*client.tasks, return_exceptions=True)


class Client:
    """Sends requests, and sees how many wait."""

    def __init__(self, http: httpx.AsyncClient, gpu: Gpu) -> None:
        self._http, self._gpu = http, gpu
        self.tasks: list[asyncio.Task[httpx.Response]] = []
        self.sent: dict[str, float] = {}

    def ask(self, text: str, key: str = MASTER) -> asyncio.Task[httpx.Response]:
        """Ask for a chat; its answer comes later."""
        body = {"model": "main", "messages": [{"role": "user", "content": text}]}
        self.sent[text] = time.monotonic()
        work = self._http.post("/v1/chat/completions", json=body, headers=_bearer(key))
        self.tasks.append(asyncio.create_task(work))
        return self.tasks[-1]

    async def take_slots(self) -> None:
        """Have both slots taken."""
        for number in range(SLOTS):
            self.ask(f"holder {number}")
        await until(lambda: self._gpu.now == SLOTS)

    async def waiting(self) -> int:
        """How many requests wait, over all workers."""
        text = (await self._http.get("/metrics/", headers=_bearer(MASTER))).text
        found = LENGTH.search(text)
        return int(float(found[1])) if found else 0

    async def until_waiting(self, number: int) -> None:
        """Return when so many requests wait."""
        async with asyncio.timeout(60):
            while await self.waiting() != number:  # noqa: ASYNC110 - the workers are other processes
                await asyncio.sleep(0.02)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def until(condition: Callable[[], bool]) -> None:
    """Wait, at most a minute, until a condition is true."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what the backend has received sets no event
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The gateway on each store; all tests of a store use it, the last one kills workers."""
    folder, gpu, port = tmp_path_factory.mktemp("queue"), Gpu(), free_port()
    with ExitStack() as stack:
        state = f"sqlite:///{folder / 'state.db'}"
        if request.param == "redis":
            state = stack.enter_context(redis_server(folder, free_port()))
        root = stack.enter_context(listening(gpu))
        (folder / "router.yaml").write_text(yaml.safe_dump(_document(root, state)), encoding="utf-8")
        (folder / "samples").mkdir()
        environ = {
            "LITELLM_MASTER_KEY": MASTER,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "samples"),
        }
        arguments = ("--num_workers", str(WORKERS), *PATIENCE)
        log = stack.enter_context(litellm(folder / "router.yaml", port, environ, arguments))
        wait_for_workers(log)
        yield Running(gpu, f"http://127.0.0.1:{port}", port)


def _document(root: str, state: str) -> dict[str, Any]:
    people = {"key": KEYS["app"], "priority": "high"}
    found = document(
        [group("main", api_base=f"{root}/v1")],
        {},
        internal=(),
        callers={**CALLERS, "app": people},
        callbacks=("prometheus", "litellm_homelab.plugin"),
        state=state,
    )
    queue = {"length": QUEUE, "wait_seconds": 100}
    found["homelab"]["backends"] = {"gpu": {"at": [root], "slots": SLOTS, "queue": queue}}
    found["router_settings"]["num_retries"] = 0
    return found


def wait_for_workers(log: Path) -> None:
    """Return when every worker has started."""
    deadline = time.monotonic() + START_SECONDS
    while log.read_text(errors="replace").count(STARTED) < WORKERS:
        assert time.monotonic() < deadline, "not every worker has started"
        time.sleep(0.1)


async def test_all_that_the_queue_holds_are_served_and_wait_as_long_as_they_say(gateway: Running) -> None:
    """64 clients: two at the backend, 62 wait, a 65th is refused; each says how long it really waited."""
    async with gateway.client() as client:
        await client.take_slots()
        asked = {text: client.ask(text) for text in (f"request {number}" for number in range(QUEUE))}
        await client.until_waiting(QUEUE)
        all_wait = time.monotonic()
        refused = await client.ask("one too many")
        assert (refused.status_code, refused.json()["error"]["type"]) == (429, "backend_busy")
        await asyncio.sleep(0.5)
        opened, gateway.gpu.is_open = time.monotonic(), True
        answers = {text: await task for text, task in asked.items()}
    assert {answer.status_code for answer in answers.values()} == {200}
    for text, answer in answers.items():
        waited = float(answer.headers[WAITED])
        assert opened - all_wait <= waited <= gateway.gpu.came[text] - client.sent[text] + 0.001
    assert "one too many" not in gateway.gpu.came
    assert gateway.gpu.peak == SLOTS


async def test_first_come_first_served_and_people_first(gateway: Running) -> None:
    """One slot is freed at a time: the caller of high priority goes first, the others as they came."""
    came, people = [f"normal {number}" for number in range(6)], [f"people {number}" for number in range(3)]
    async with gateway.client() as client:
        await client.take_slots()
        for number, text in enumerate([*came, *people], start=1):
            client.ask(text, KEYS["app"] if text in people else MASTER)
            await client.until_waiting(number)
        for number in range(1, len(came + people) + 1):
            gateway.gpu.permits += 1
            await until(lambda wanted=SLOTS + number: len(gateway.gpu.came) == wanted)  # type: ignore[misc]
        assert [*gateway.gpu.came][SLOTS:] == [*people, *came]
    assert gateway.gpu.peak == SLOTS


async def test_a_client_that_leaves_frees_its_place(gateway: Running) -> None:
    """Once two of three have left one waits, and it alone reaches the backend."""
    async with gateway.client() as client:
        await client.take_slots()
        *leaving, staying = [client.ask(f"waiting {number}") for number in range(3)]
        await client.until_waiting(3)
        for task in leaving:
            task.cancel()
        await client.until_waiting(1)
        gateway.gpu.is_open = True
        assert (await staying).status_code == 200
    assert [text for text in gateway.gpu.came if text.startswith("waiting")] == ["waiting 2"]


async def test_a_killed_worker_gives_its_slots_back(gateway: Running) -> None:
    """Kill -9 of a worker that holds a slot: within its lease the slot goes to one that waits elsewhere."""
    async with gateway.client() as client:
        await client.take_slots()
        for number in range(4 * WORKERS):
            client.ask(f"waiting {number}")
        await client.until_waiting(4 * WORKERS)
        seen, processes = len(gateway.gpu.came), [*workers(gateway.port)]
        while gateway.gpu.now == SLOTS:  # until one of them held a slot
            os.kill(processes.pop(), signal.SIGKILL)
            killed = time.monotonic()
            await asyncio.sleep(0.5)
        for number in range(SLOTS):  # the killed workers may have had all that waited, and both slots
            client.ask(f"late {number}")
        await until(lambda: len(gateway.gpu.came) > seen)
        assert [*gateway.gpu.came.values()][seen] - killed <= LEASE_SECONDS + SLACK
        await until(lambda: gateway.gpu.now == SLOTS)
        gateway.gpu.is_open = True
        answers = await asyncio.gather(*client.tasks, return_exceptions=True)
    served = [answer.status_code for answer in answers if isinstance(answer, httpx.Response)]
    assert served
    assert {*served} == {200}
    assert gateway.gpu.peak == SLOTS
