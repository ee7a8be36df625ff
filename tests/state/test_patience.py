"""How long a worker waits for its store."""

from __future__ import annotations

import asyncio
import time

import pytest

from litellm_homelab.state.patience import STEPS, within


async def answer_after(turns: int) -> str:
    """An answer that takes so many turns of the event loop, like one that comes over a socket."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return "here"


async def test_a_silent_store_is_given_up_after_the_time() -> None:
    """Where the loop is free the wait is as long as it says."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with within(0.2):
            await asyncio.sleep(60)
    assert time.monotonic() - began >= 0.19


async def test_a_busy_loop_does_not_use_up_the_time() -> None:
    """A loop that other work blocks for longer than the limit still reads an answer that has come."""
    task = asyncio.create_task(answer_after(STEPS - 2))
    asyncio.get_running_loop().call_soon(time.sleep, 0.3)
    async with within(0.1):
        assert await task == "here"


async def test_a_limit_ends_with_its_block() -> None:
    """What comes after the block is not interrupted."""
    async with within(0.05):
        pass
    await asyncio.sleep(0.15)


async def test_a_cancelled_wait_is_cancelled_and_not_late() -> None:
    """A request that is cancelled while it waits for the store does not take it for a lost one."""

    async def wait() -> None:
        async with within(30):
            await asyncio.sleep(60)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
