"""A logout ends its session in every worker."""

from __future__ import annotations

import pytest

from litellm_homelab.access.callers import MASTER
from litellm_homelab.adapter.page.logouts import Logouts
from litellm_homelab.page.sessions import Session
from litellm_homelab.state import Cause, Entry, StateUnavailable
from litellm_homelab.state.memory import MemoryStore

NOW = 1_795_718_400.0


def session(number: str = "one", seconds: int = 3600) -> Session:
    """A session that is good for so long."""
    return Session(MASTER, number, int(NOW) + seconds)


class Store(MemoryStore):
    """A store that can be switched off, and notes for how long entries live."""

    is_off = False

    def __init__(self) -> None:
        super().__init__()
        self.lives: list[float] = []

    async def create(self, key: str, entry: Entry, ttl: float) -> bool:
        """Create, where it is on."""
        self._fail()
        self.lives.append(ttl)
        return await super().create(key, entry, ttl)

    async def read(self, key: str) -> Entry | None:
        """Read, where it is on."""
        self._fail()
        return await super().read(key)

    def _fail(self) -> None:
        if self.is_off:
            raise StateUnavailable("memory://", Cause.LOST)


async def test_every_worker_knows_it() -> None:
    """And no other session ends; it is kept for as long as its cookie would have been good."""
    store = Store()
    one, two = (Logouts(store, lambda: NOW) for _ in range(2))
    assert not await two.has(session())
    await one.add(session())
    assert await one.has(session())
    assert await two.has(session())
    assert not await two.has(session("two"))
    assert store.lives == [3600.0]


async def test_without_the_store_a_worker_knows_its_own(caplog: pytest.LogCaptureFixture) -> None:
    """And what it has seen before; the page stays open to others, since it shows that the store is gone."""
    store = Store()
    one, two = (Logouts(store, lambda: NOW) for _ in range(2))
    await one.add(session("before"))
    assert await two.has(session("before"))
    store.is_off = True
    await one.add(session())
    assert "a logout has ended its session in this worker only" in caplog.text
    assert await one.has(session())
    assert await two.has(session("before"))
    assert not await two.has(session())


async def test_what_is_over_is_forgotten() -> None:
    """The cookie says itself that it is over."""
    now = [NOW]
    logouts = Logouts(Store(), lambda: now[0])
    await logouts.add(session("short", 60))
    now[0] += 61
    await logouts.add(session("long", 3600))
    assert list(logouts._own) == ["long"]
