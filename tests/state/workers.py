"""Work that tests hand to other processes: plain functions of a module that `spawn` can import."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import TypeVar

from litellm_homelab import state

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
