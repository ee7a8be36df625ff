"""How often servers are asked, by their own count: in simulated minutes, and by four workers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from litellm_homelab.adapter.backends import presence as presence_module
from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.backends.directory import Directory
from litellm_homelab.adapter.backends.presence import Presence, Probes
from litellm_homelab.adapter.backends.probing import Asked
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.adapter.policies.presence import ProbedBackends
from litellm_homelab.backends.kinds import KINDS
from litellm_homelab.backends.presence import BackendState, ProbeOutcome
from litellm_homelab.backends.rule import Backends
from litellm_homelab.config.sections import BackendSection, PresenceSection
from litellm_homelab.state.memory import MemoryStore
from tests.listing_servers import ListingServer, LlamaSwap, Ollama

TEN_MINUTES = 600
EVERY = 15.0
ROUNDS, BACKENDS, HANDLES, WORKERS = 3, 50, 1_000, 4


class Unseen:
    """Who does not look."""

    def standing(self, _: str, state: BackendState) -> None:
        """Ignore it."""

    def probed(self, _: str, outcome: ProbeOutcome) -> None:
        """Ignore it."""


class Clock:
    """A clock that moves only when a task sleeps; it ends after ten minutes."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.end = self.now + TEN_MINUTES
        self.is_over = asyncio.Event()
        self._sleep = asyncio.sleep

    def time(self) -> float:
        """Now."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass, for the tasks that run too."""
        self.now += seconds
        if self.now >= self.end:
            self.is_over.set()
            await asyncio.Event().wait()
        await self._sleep(0)


@pytest.fixture
def servers() -> Iterator[dict[str, ListingServer]]:
    """An Ollama and a llama-swap behind all probes of a test, each with a model in memory."""
    found: dict[str, ListingServer] = {"ollama": Ollama("qwen3:4b"), "llama-swap": LlamaSwap("qwen3")}
    for one in found.values():
        one.loaded = list(one.models)
    clients = {name: httpx.AsyncClient(transport=httpx.ASGITransport(one.app)) for name, one in found.items()}

    async def fetch(asked: Asked) -> tuple[int, bytes]:
        answer = await clients[httpx.URL(asked.url).host].get(asked.url)
        return answer.status_code, answer.content

    probing.fetch_with(fetch)
    yield found
    probing.fetch_with(None)


@pytest.mark.parametrize("kind", ["ollama", "llama-swap"])
async def test_ten_minutes_of_probes_load_nothing(
    servers: dict[str, ListingServer], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least 40 probes, by the server's own count; none loads a model or renews a keep-alive."""
    server, clock = servers[kind], Clock()
    monkeypatch.setattr(presence_module, "time", SimpleNamespace(time=clock.time, monotonic=clock.time))
    # Of this module alone: servers on other threads of the test process sleep, too.
    stepped = SimpleNamespace(**{**vars(asyncio), "sleep": clock.sleep})
    monkeypatch.setattr(presence_module, "asyncio", stepped)
    probes = Probes(KINDS[kind], f"http://{kind}", "", EVERY, 2)
    followed = Presence({"box": EVERY}, lambda _: probes, MemoryStore(), Unseen())
    followed.start()
    async with asyncio.timeout(60):
        await clock.is_over.wait()
    followed.stop()
    first = server.asked[0]
    assert server.asked.count(first) >= 40
    assert server.loads == 0
    assert set(server.asked) == set(server.probes)
    assert followed.standing("box").loaded


class Router:
    """A router with many deployments, which share some servers."""

    def __init__(self) -> None:
        self.model_list = [
            {
                "model_name": f"handle-{number}",
                "litellm_params": {
                    "model": f"openai/m{number}",
                    "api_base": f"http://127.0.0.1:{8000 + number % BACKENDS}/v1",
                },
                "model_info": {"id": str(number)},
            }
            for number in range(HANDLES)
        ]

    def get_deployment(self, model_id: str) -> Any:
        """One of them by its id."""
        from litellm.types.router import Deployment

        return Deployment(**self.model_list[int(model_id)])


def worker(router: Router, store: MemoryStore) -> Presence:
    """One worker that follows all backends of a router."""
    section = PresenceSection(probe_seconds=EVERY)
    sections = {
        f"box-{number}": BackendSection(
            at=[f"http://127.0.0.1:{8000 + number}"], kind="vllm", presence=section
        )
        for number in range(BACKENDS)
    }
    deployments = Deployments(lambda: router)
    directory = Directory(Backends(sections), Targets(deployments, ()), deployments)
    probed = ProbedBackends(directory, sections, frozenset())
    return Presence(dict.fromkeys(sections, EVERY), probed.of, store, Unseen())


async def test_a_thousand_handles_on_fifty_backends_get_one_probe_each(
    record_property: Any,
) -> None:
    """Of four workers one asks each backend in each interval, and all of them know."""
    asked: Counter[int] = Counter()

    async def fetch(question: Asked) -> tuple[int, bytes]:
        asked[httpx.URL(question.url).port or 0] += 1
        await asyncio.sleep(0.01)
        return 200, b'{"data": [{"id": "m1"}]}'

    probing.fetch_with(fetch)
    try:
        router, store = Router(), MemoryStore()
        workers = [worker(router, store) for _ in range(WORKERS)]
        used = []
        for number in range(ROUNDS):
            began = time.process_time()
            every = (one.round(f"box-{box}", number) for one in workers for box in range(BACKENDS))
            await asyncio.gather(*every)
            used.append(time.process_time() - began)
    finally:
        probing.fetch_with(None)
    assert asked == Counter({8000 + box: ROUNDS for box in range(BACKENDS)})
    standings = [one.standing(f"box-{box}") for one in workers for box in range(BACKENDS)]
    assert {one.state for one in standings} == {BackendState.UP}
    share = 100 * used[-1] / WORKERS / EVERY
    record_property("percent_of_a_core_without_http", share)
    print(f"one interval: {share:.2f} % of a core for each worker, HTTP apart")
