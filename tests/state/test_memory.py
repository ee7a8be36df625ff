"""Memory is bounded."""

from __future__ import annotations

import asyncio

import pytest

from litellm_homelab.state import Entry, StateUnavailable
from litellm_homelab.state.memory import MemoryStore


async def test_a_full_store_refuses_a_new_entry_and_keeps_the_old() -> None:
    """At the bound a new entry is refused with a message, and no entry in use is lost."""
    store = MemoryStore(max_entries=2)
    for key in ("one", "two"):
        await store.create(key, Entry(), 60)
    with pytest.raises(
        StateUnavailable, match=r"^state memory://: too many entries are in use \(all 2 entries are in use\)"
    ):
        await store.create("three", Entry(), 60)
    assert len(store) == 2
    assert await store.read("one") == Entry()


async def test_what_expired_makes_room() -> None:
    """Expired entries never keep a new one out."""
    store = MemoryStore(max_entries=2)
    await store.create("short", Entry(), 0.01)
    await store.create("kept", Entry(), 60)
    await asyncio.sleep(0.02)
    assert await store.create("new", Entry(), 60)
    assert await store.read("kept") == Entry()


async def test_memory_stays_bounded() -> None:
    """However many entries come and go, no more than the bound are held."""
    store = MemoryStore(max_entries=10)
    for number in range(1_000):
        await store.create(str(number), Entry(), 60)
        await store.mark(str(number), "ended", "", keep=0)
    assert len(store) <= 10
