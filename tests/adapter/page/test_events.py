"""Refusals and loops: the last ones of a worker, and the counts of all workers by hour."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from litellm_homelab import refusals
from litellm_homelab.adapter.page.events import HOUR, RefusalLog
from litellm_homelab.page.facts import KEPT, LONGEST, HourCounts
from litellm_homelab.state import Cause, StateUnavailable
from litellm_homelab.state.memory import MemoryStore

NOW = 1_795_718_400.0


class Clock:
    """A clock that a test steps."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """What it says."""
        return self.now


class Broken(MemoryStore):
    """A store that can be switched off."""

    is_off = False

    async def create(self, key: str, entry: object, ttl: float) -> bool:
        """Create, where it is on."""
        if self.is_off:
            raise StateUnavailable("memory://", Cause.LOST)
        return await super().create(key, entry, ttl)  # type: ignore[arg-type]


def refuse(log: RefusalLog, times: int = 1) -> None:
    """Note a refusal so often."""
    for _ in range(times):
        log.refused("showroom", refusals.key_unknown(), None, "other")


def made(
    store: MemoryStore | None = None, loops: Callable[[], int] = lambda: 0
) -> tuple[RefusalLog, Clock, MemoryStore]:
    """A log with its clock and its store."""
    clock, store = Clock(), MemoryStore() if store is None else store
    return RefusalLog(store, loops, clock), clock, store


async def test_the_last_refusals_are_remembered_and_no_more() -> None:
    """The oldest are forgotten; a long message is cut."""
    log, _, _ = made()
    refuse(log, KEPT + 5)
    log.refused("showroom", refusals.model_not_found("x" * 900, "y" * 900), None, "app")
    assert len(log.last()) == KEPT
    assert len(log.last()[-1].message) == LONGEST


async def test_counts_of_all_workers_come_together() -> None:
    """Two workers on one store, each with loops of its own."""
    counted = {"one": 0, "two": 0}
    one, _, store = made(loops=lambda: counted["one"])
    two, _, _ = made(store, loops=lambda: counted["two"])
    refuse(one, 3)
    refuse(two, 2)
    counted |= {"one": 1, "two": 4}
    await two.write()
    assert await one.hours() == HourCounts(5, 5, NOW)
    assert await one.hours() == HourCounts(5, 5, NOW)


async def test_loops_from_before_are_not_counted_twice() -> None:
    """A counter that is not at 0 when the log is made."""
    log, _, _ = made(loops=lambda: 7)
    refuse(log)
    assert (await log.hours()).loops == 0


async def test_a_day_later_they_are_out_of_the_count() -> None:
    """The current hour and the 23 before it."""
    log, clock, _ = made()
    refuse(log, 2)
    await log.write()
    clock.now += 23 * HOUR
    refuse(log)
    assert (await log.hours()).refusals == 3
    clock.now += HOUR
    found = await log.hours()
    assert (found.refusals, found.since) == (1, ((clock.now // HOUR) - 23) * HOUR)


async def test_they_are_there_after_a_restart() -> None:
    """And so is the time since when they are counted."""
    log, clock, store = made()
    refuse(log, 2)
    await log.write()
    again, later, _ = made(store)
    later.now = clock.now + 600
    assert await again.hours() == HourCounts(2, 0, NOW)


async def test_nothing_is_lost_while_the_store_does_not_answer() -> None:
    """What could not be written is written later."""
    store = Broken()
    log, _, _ = made(store)
    store.is_off = True
    refuse(log, 2)
    assert not await log.write()
    with pytest.raises(StateUnavailable):
        await log.hours()
    store.is_off = False
    refuse(log)
    assert (await log.hours()).refusals == 3


async def test_a_flood_is_one_task() -> None:
    """However many requests are refused, one task writes their number."""
    log, _, store = made()
    refuse(log, 1000)
    before = len(store)
    await log.write()
    assert len(store) == before + 2
