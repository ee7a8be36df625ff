"""Probes of several workers: one for each backend and interval; without the store each for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.backends.presence import Presence, Probes
from litellm_homelab.adapter.backends.probing import Asked
from litellm_homelab.backends.kinds import KINDS
from litellm_homelab.backends.presence import BackendState, ProbeOutcome
from litellm_homelab.state import Cause, Entry, StateUnavailable
from litellm_homelab.state.memory import MemoryStore
from litellm_homelab.state.store import Store

BOX = Probes(KINDS["vllm"], "http://127.0.0.1:8000/v1", "", 5, 0.5)


class LostStore(MemoryStore):
    """A store that does not answer."""

    async def create(self, key: str, entry: Entry, ttl: float) -> bool:
        """Fail."""
        raise StateUnavailable("", Cause.UNREACHABLE)


class Server:
    """What is asked by probes, and how often."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_there = True

    async def __call__(self, asked: Asked) -> tuple[int, bytes]:
        """Answer, or refuse the connection."""
        self.asked.append(asked.url)
        await asyncio.sleep(0.01)
        if not self.is_there:
            raise httpx.ConnectError("refused")
        return 200, b'{"data": [{"id": "qwen3"}]}'


class Seen:
    """What a worker shows."""

    def __init__(self) -> None:
        self.states: list[BackendState] = []
        self.outcomes: list[ProbeOutcome] = []

    def standing(self, _: str, state: BackendState) -> None:
        """Note it."""
        self.states.append(state)

    def probed(self, _: str, outcome: ProbeOutcome) -> None:
        """Note it."""
        self.outcomes.append(outcome)


@pytest.fixture
def server() -> Iterator[Server]:
    """The server behind all probes of a test."""
    found = Server()
    probing.fetch_with(found)
    yield found
    probing.fetch_with(None)


def worker(store: Store, seen: Seen | None = None, probes: Probes | None = BOX, every: float = 5) -> Presence:
    """One worker that follows one backend."""
    return Presence({"box": every}, lambda _: probes, store, seen or Seen())


async def test_of_four_workers_one_asks(server: Server) -> None:
    """And all of them know."""
    store = MemoryStore()
    workers = [worker(store) for _ in range(4)]
    await asyncio.gather(*(one.round("box", 7) for one in workers))
    assert len(server.asked) == 1
    assert [one.standing("box").state for one in workers] == [BackendState.UP] * 4
    assert all(one.standing("box").models == frozenset({"qwen3"}) for one in workers)


async def test_without_a_store_each_worker_asks(server: Server) -> None:
    """Presence does not need the store."""
    workers = [worker(LostStore()) for _ in range(2)]
    await asyncio.gather(*(one.round("box", 7) for one in workers))
    assert len(server.asked) == 2
    assert [one.standing("box").state for one in workers] == [BackendState.UP] * 2


async def test_the_next_interval_has_a_probe_of_its_own(server: Server) -> None:
    """Whoever is the first there asks."""
    store = MemoryStore()
    one, other = worker(store), worker(store)
    await one.round("box", 7)
    server.is_there = False
    await other.round("box", 8)
    await one.round("box", 8)
    assert len(server.asked) == 2
    assert (one.away, other.away) == (frozenset({"box"}), frozenset({"box"}))


async def test_an_attempt_without_a_connection_counts_at_once(server: Server) -> None:
    """The next probe brings it back."""
    seen = Seen()
    one = worker(MemoryStore(), seen)
    one.unreachable("box")
    assert one.away == frozenset({"box"})
    await one.round("box", 9)
    assert one.away == frozenset()
    assert seen.states == [BackendState.ABSENT, BackendState.UP]
    assert seen.outcomes == [ProbeOutcome.ANSWERED]


async def test_probes_begin_and_end(server: Server) -> None:
    """A task for each backend; started twice, they are the same."""
    one = worker(MemoryStore(), every=0.1)
    one.start()
    one.start()
    async with asyncio.timeout(30):
        while len(server.asked) < 3:  # noqa: ASYNC110 - the fake has no event
            await asyncio.sleep(0.01)
    one.stop()
    await asyncio.sleep(0.05)
    asked = len(server.asked)
    await asyncio.sleep(0.3)
    assert len(server.asked) == asked


async def test_what_is_not_probed_is_not_asked(server: Server) -> None:
    """Its absence, seen by an attempt, ends after an interval."""
    one = worker(MemoryStore(), probes=None, every=0.1)
    await one.round("box", 1)
    one.unreachable("box")
    assert one.standing("box").state is BackendState.ABSENT
    await asyncio.sleep(0.15)
    assert one.standing("box").state is BackendState.UNKNOWN
    assert (one.away, server.asked) == (frozenset(), [])


async def test_a_backend_that_is_not_followed_is_unknown() -> None:
    """Nothing is said of it."""
    one = worker(MemoryStore())
    one.unreachable("other")
    assert (one.standing("other").state, one.away) == (BackendState.UNKNOWN, frozenset())


@pytest.mark.parametrize("asks_itself", [True, False], ids=["its own probe", "another worker's probe"])
async def test_a_probe_from_before_a_refused_connection_brings_nothing_back(
    server: Server, asks_itself: bool
) -> None:
    """A server that went away while a probe was under way is absent, until a later probe finds it."""
    store = MemoryStore()
    one, other = worker(store), worker(store)
    asking = asyncio.create_task((one if asks_itself else other).round("box", 7))
    await asyncio.sleep(0)
    following = [] if asks_itself else [asyncio.create_task(one.round("box", 7))]
    await asyncio.sleep(0)
    one.unreachable("box")
    await asyncio.gather(asking, *following)
    assert one.standing("box").state is BackendState.ABSENT
    await one.round("box", 8)
    assert one.standing("box").state is BackendState.UP


async def test_a_list_that_could_not_be_taken_over_is_tried_again(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """The backend is up meanwhile, and the next probe passes the same list on."""
    one = worker(MemoryStore())
    passed: list[frozenset[str]] = []

    def breaks(backend: str, models: frozenset[str]) -> None:
        raise RuntimeError(backend)

    one.listed = breaks
    await one.round("box", 7)
    assert (one.standing("box").state, one.standing("box").models) == (BackendState.UP, None)
    assert "homelab presence: the models of box could not be taken over: RuntimeError" in caplog.text
    one.listed = lambda _, models: passed.append(models)
    await one.round("box", 8)
    assert passed == [one.standing("box").models] == [frozenset({"qwen3"})]
