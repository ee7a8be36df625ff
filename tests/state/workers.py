"""Work that tests hand to other processes: plain functions of a module that `spawn` can import."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TypeVar

from litellm_homelab import state
from litellm_homelab.state import account

T = TypeVar("T")


def in_processes(processes: int, work: Callable[[state.Location], T], location: state.Location) -> list[T]:
    """Run `work(location)` in so many fresh processes, all let go at the same moment; their answers."""
    spawn = multiprocessing.get_context("spawn")
    together = spawn.Barrier(processes)
    with ProcessPoolExecutor(processes, spawn, initializer=_wait_for_all, initargs=(together,)) as pool:
        return [future.result(30) for future in [pool.submit(work, location) for _ in range(processes)]]


def _wait_for_all(together: Barrier) -> None:
    together.wait(20)


def take_100(location: state.Location) -> list[int]:
    """Ask 100 times for one more of entry `shared`, 10 tasks at once; the numbers that were granted."""
    return asyncio.run(_take_100(state.connect(location)))


async def _take_100(store: state.Store) -> list[int]:
    async def ten() -> list[int]:
        taken = [await store.take("shared", "used", "limit", ()) for _ in range(10)]
        return [one.entry.count("used") for one in taken if one is not None and one.granted]

    numbers = await asyncio.gather(*(ten() for _ in range(10)))
    await store.close()
    return [number for group in numbers for number in group]


def create_first(location: state.Location) -> bool:
    """Create entry `first` on a store that nobody may have opened before."""
    return asyncio.run(_create_first(state.connect(location)))


async def _create_first(store: state.Store) -> bool:
    created = await store.create("first", state.Entry({"limit": 1}), 60)
    await store.close()
    return created


def hold_slots(location: state.Location) -> list[tuple[float, float]]:
    """Hold one of two slots for 5 ms in each of eight tasks; from when to when (`time.monotonic`)."""
    return asyncio.run(_hold_slots(state.connect(location)))


async def _hold_slots(store: state.Store) -> list[tuple[float, float]]:
    async def once() -> tuple[float, float]:
        owner = uuid.uuid4().hex
        claim, answer = state.Claim("slots", 2, length=100), state.Claimed.WAITING
        while answer is state.Claimed.WAITING:
            await asyncio.sleep(0.005)
            answer = await store.lease([claim], owner, 30)
        began = time.monotonic()
        await asyncio.sleep(0.005)
        ended = time.monotonic()
        await store.release(["slots"], owner)
        return began, ended

    spans = await asyncio.gather(*(once() for _ in range(8)))
    await store.close()
    return list(spans)


LIMIT = 1000
"""What the account `spent` has in each window."""
SPENT = account.Use("spent", "requests/day", (0,), LIMIT, 1)
TASKS = 64


def spend(location: state.Location) -> int:
    """Spend in 64 tasks until there is nothing left; how often it was granted."""
    return asyncio.run(_spend(state.connect(location), None))


def spend_until_killed(location: state.Location, sent: str) -> None:
    """As `spend`, with leases of a second; a byte is written to a file for each that was sent."""
    asyncio.run(_spend(state.connect(location), sent))


async def _spend(store: state.Store, sent: str | None) -> int:
    worker, lease = uuid.uuid4().hex, 60_000 if sent is None else 1_000

    async def task(number: int) -> int:
        granted = 0
        while await _once(store, f"{worker}:{number}-{granted}", lease):
            granted += 1
            if sent is not None:
                _note(sent)
                await asyncio.sleep(0.001)
        return granted

    found = await asyncio.gather(*(task(number) for number in range(TASKS)))
    await store.close()
    return sum(found)


def _note(sent: str) -> None:
    with Path(sent).open("ab") as file:
        file.write(b".")


async def _once(store: state.Store, owner: str, lease: int) -> bool:
    def reserve(found: account.Accounts, now: int) -> tuple[bool, account.Accounts]:
        done = account.reserve(found, [SPENT], owner, "", 0.0, now, now + lease)
        return done.is_granted, done.accounts

    def send(found: account.Accounts, now: int) -> tuple[bool, account.Accounts]:
        done = account.send(found, [SPENT], owner, now, now + lease, settles=False)
        return done.is_granted, done.accounts

    return await _changed(store, reserve) and await _changed(store, send)


async def _changed(
    store: state.Store, change: Callable[[account.Accounts, int], tuple[bool, account.Accounts]]
) -> bool:
    """Change the account, again where other processes kept SQLite locked for too long: nothing changed."""
    for _ in range(20):
        try:
            return await store.change(["spent"], change)
        except state.StateUnavailable as error:
            if error.cause is not state.Cause.LOCKED:
                raise
    raise AssertionError("locked for good")
