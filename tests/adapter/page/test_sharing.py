"""Workers tell each other what they know while the page is open."""

from __future__ import annotations

import asyncio

import pytest

from litellm_homelab.adapter.page import sharing
from litellm_homelab.adapter.page.sharing import Sharing
from litellm_homelab.page.facts import WorkerFacts
from litellm_homelab.state import Cause, Entry, StateUnavailable
from litellm_homelab.state.memory import MemoryStore
from tests.page import sample


class Silent(MemoryStore):
    """A store that does not answer."""

    async def create(self, key: str, entry: Entry, ttl: float) -> bool:
        """Fail."""
        raise StateUnavailable("memory://", Cause.LOST)


def made(store: MemoryStore, name: str, workers: int = 2) -> Sharing:
    """A worker that knows one thing: its name."""
    return Sharing(store, lambda: sample.worker(worker=name), workers)


def names(found: list[WorkerFacts]) -> list[str]:
    """Whose facts they are."""
    return [one.worker for one in found]


@pytest.fixture
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait for workers that a test does not have."""
    monkeypatch.setattr(sharing, "WAIT_SECONDS", 0.0)


async def test_one_worker_asks_no_store() -> None:
    """There is no worker to share with, and no task."""
    store = MemoryStore()
    one = made(store, "one", workers=1)
    one.start()
    assert names(await one.facts()) == ["one"]
    assert len(store) == 0


@pytest.mark.usefixtures("_soon")
async def test_a_worker_writes_nothing_while_no_one_looks() -> None:
    """It reads, and that is all."""
    store = MemoryStore()
    await made(store, "two").round()
    assert len(store) == 0


@pytest.mark.usefixtures("_soon")
async def test_a_look_gets_what_the_others_know() -> None:
    """From the next round of theirs on."""
    store = MemoryStore()
    one, two = made(store, "one"), made(store, "two")
    assert names(await one.facts()) == ["one"]
    await two.round()
    assert names(await one.facts()) == ["one", "two"]
    one.stop()


async def test_the_first_look_waits_for_the_others() -> None:
    """So that a dashboard which asks once in a minute gets the numbers of all."""
    store = MemoryStore()
    one, two = made(store, "one"), made(store, "two")
    two.start()
    await asyncio.sleep(0)
    assert names(await one.facts()) == ["one", "two"]
    one.stop()
    two.stop()


@pytest.mark.usefixtures("_soon")
async def test_what_another_version_has_written_is_left_out() -> None:
    """Two versions run side by side while a gateway is being replaced."""
    store = MemoryStore()
    one, two = made(store, "one"), made(store, "two")
    await one.facts()
    await two.round()
    key = next(name for name in store._entries if name.startswith("page:round:"))
    await store.mark(key, "three", '{"worker": "three"}')
    assert names(await one.facts()) == ["one", "two"]
    one.stop()


async def test_without_the_store_a_worker_knows_itself() -> None:
    """And the page says that numbers are incomplete."""
    one = made(Silent(), "one")
    assert names(await one.facts()) == ["one"]
    one.stop()
