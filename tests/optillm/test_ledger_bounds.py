"""However many roots there are, the ledger in memory stays bounded, and never forgets one that is alive."""

from __future__ import annotations

import asyncio
import time

import pytest

from litellm_homelab.optillm import lineage
from litellm_homelab.optillm.fanout import Admitted, RootRecord, Unknown
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.state import StateUnavailable
from litellm_homelab.state.memory import MAX_ENTRIES, MemoryStore


def new_root() -> RootRecord:
    """A root that lives for an hour."""
    now = time.time()
    return RootRecord(lineage.new_root(), "boost", "moa", 4, now, now + 3600)


async def test_live_roots_are_bounded_and_kept() -> None:
    """One root more than there is room for is refused; those under way still admit their children."""
    store = MemoryStore()
    ledger, roots = Ledger(store), [new_root() for _ in range(MAX_ENTRIES)]
    for root in roots:
        assert await ledger.open(root)
    with pytest.raises(StateUnavailable, match="entries are in use"):
        await ledger.open(new_root())

    assert len(store) == MAX_ENTRIES
    assert isinstance(await ledger.admit(roots[0].id), Admitted)


async def test_roots_that_are_over_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far more roots than there is room for come and go, answered or left by their clients."""
    monkeypatch.setattr("litellm_homelab.optillm.ledger.LINGER_SECONDS", 0.01)
    store = MemoryStore(max_entries=50)
    ledger, first = Ledger(store), new_root()
    await ledger.open(first)
    await ledger.end(first.id)
    for _ in range(20):
        for number in range(25):
            root = new_root()
            await ledger.open(root)
            await (ledger.end(root.id) if number % 2 else ledger.leave(root.id))
        await asyncio.sleep(0.02)

    assert len(store) <= 50
    assert await ledger.admit(first.id) == Unknown()
