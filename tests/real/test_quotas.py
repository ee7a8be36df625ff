"""A quota over four real workers: exact, also when one of them or the store is killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from litellm_homelab.testing.upstream import Upstreams
from tests.adapter.lane import TEXT, document, group
from tests.real.gateway import free_port, litellm, workers
from tests.real.lane.rig import PATIENCE
from tests.real.test_queue import WORKERS, wait_for_workers
from tests.real.upstreams import listening
from tests.state.backends import redis_server

pytestmark = pytest.mark.real

KEY = "sk-master-of-quotas"
LIMIT, CLIENTS = 1000, 64
SERVED, REFUSED = 200, 429
WINDOW = {"requests": LIMIT, "per": "month"}


class Redis:
    """A Redis that writes to disk, as one that counts for several machines should, and may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._stack = ExitStack()
        folder.mkdir()
        self.url = self._start()

    def _start(self) -> str:
        return self._stack.enter_context(redis_server(self._folder, self._port, persistent=True))

    def restart(self, *, emptied: bool = False) -> None:
        """Kill it and start it again, with what it has written or with nothing."""
        self._stack.close()
        if emptied:
            shutil.rmtree(self._folder)
            self._folder.mkdir()
        self._start()

    def close(self) -> None:
        """Kill it."""
        self._stack.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway of four workers with a quota, the backend that counts, and the gateway's Redis, if any."""

    upstreams: Upstreams
    url: str
    port: int
    redis: Redis | None

    @property
    def seen(self) -> int:
        """Requests that the backend has received."""
        return len(self.upstreams.of("cloud").requests)


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The gateway on each store."""
    folder, upstreams, port = tmp_path_factory.mktemp("quotas"), Upstreams(), free_port()
    with ExitStack() as stack:
        redis, state = None, f"sqlite:///{folder / 'state.db'}"
        if request.param == "redis":
            redis = Redis(folder / "redis")
            stack.callback(redis.close)
            state = redis.url
        root = stack.enter_context(listening(upstreams))
        models = [group("cloud", api_base=f"{root}{Upstreams.path('cloud')}/v1")]
        callbacks = ("prometheus", "litellm_homelab.plugin")
        content = document(models, {}, internal=(), callbacks=callbacks, state=state)
        content["homelab"]["quotas"] = {"free": {"groups": ["cloud"], "windows": [WINDOW]}}
        (folder / "router.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        (folder / "samples").mkdir()
        environ = {
            "LITELLM_MASTER_KEY": KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "samples"),
        }
        arguments = ("--num_workers", str(WORKERS), *PATIENCE)
        wait_for_workers(stack.enter_context(litellm(folder / "router.yaml", port, environ, arguments)))
        yield Running(upstreams, f"http://127.0.0.1:{port}", port, redis)


async def ask(http: httpx.AsyncClient) -> int:
    """One request's status; 0 where its worker was killed."""
    try:
        answer = await http.post("/v1/chat/completions", json={"model": "cloud", "messages": TEXT})
    except httpx.HTTPError:
        return 0
    return answer.status_code


async def ask_until_refused(http: httpx.AsyncClient) -> list[int]:
    """Ask again and again; the statuses that were neither served nor refused."""
    others = []
    while (status := await ask(http)) != REFUSED:
        if status != SERVED:
            others.append(status)
            await asyncio.sleep(0.2)
    return others


async def disturb(running: Running) -> None:
    """Kill a worker when a third is used; then, of Redis, restart it with its file, and with an empty one."""

    async def until(seen: int) -> None:
        while running.seen < seen:  # noqa: ASYNC110 - the backend is in another thread
            await asyncio.sleep(0.01)

    await until(LIMIT // 3)
    os.kill(next(workers(running.port)), signal.SIGKILL)
    if running.redis is not None:
        await until(LIMIT // 2)
        await asyncio.to_thread(running.redis.restart)
        await until(LIMIT * 2 // 3)
        await asyncio.to_thread(running.redis.restart, emptied=True)


async def test_the_backend_sees_the_quota_and_no_more(gateway: Running) -> None:
    """64 clients, four workers of which one is killed, and a Redis that is restarted: never one too many."""
    headers = {"Authorization": f"Bearer {KEY}"}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(base_url=gateway.url, headers=headers, limits=limits, timeout=60) as http,
        asyncio.timeout(900),
    ):
        asking = [asyncio.create_task(ask_until_refused(http)) for _ in range(CLIENTS)]
        await disturb(gateway)
        others = [status for one in asyncio.as_completed(asking) for status in await one]
        later = [await ask(http) for _ in range(WORKERS)]
        metrics = (await http.get("/metrics/")).text
    print(f"the backend saw {gateway.seen} of {LIMIT}; neither served nor refused: {Counter(others)}")
    assert LIMIT - CLIENTS <= gateway.seen <= LIMIT
    assert {*others} <= ({0} if gateway.redis is None else {0, 503})
    assert others.count(0) <= CLIENTS
    assert gateway.seen < LIMIT or {*later} == {REFUSED}
    assert f'homelab_quota_limit{{quota="free",window="requests/month"}} {LIMIT}.0' in metrics
