"""How long a worker waits for its store."""

from __future__ import annotations

import asyncio
import time

import pytest

from litellm_homelab.state.patience import STEPS, answered, within


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


async def test_an_answer_that_needs_no_wait_needs_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes in the same turn of the loop, and no time limit begins."""

    def fails(*_: object) -> object:
        raise AssertionError("a timer was started")

    async def here() -> str:
        return "here"

    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", fails)
    assert await answered(here(), 0.1) == "here"


@pytest.mark.parametrize("turns", [1, 2, 40])
async def test_an_answer_that_waits_is_the_same(turns: int) -> None:
    """However often it waits, for turns of the loop or for a future."""
    assert await answered(answer_after(turns), 30) == "here"
    future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, future.set_result, "later")
    assert await answered(_of(future), 30) == "later"


async def _of(future: asyncio.Future[str]) -> str:
    await asyncio.sleep(0)
    return await future


async def test_an_answer_that_does_not_come_is_late() -> None:
    """The coroutine is cancelled, so that it can give back what it holds."""
    ended: list[str] = []

    async def silent() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("ended")

    with pytest.raises(TimeoutError):
        await answered(silent(), 0.1)
    assert ended == ["ended"]


@pytest.mark.parametrize("turns", [0, 1])
async def test_an_error_is_the_callers(turns: int) -> None:
    """Before and after the first wait."""

    async def fails() -> None:
        await answer_after(turns)
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        await answered(fails(), 30)


async def test_a_cancelled_answer_is_cancelled() -> None:
    """The request that waits for it has left: the coroutine sees it, and its cleaning up may wait."""
    cleaned: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cleaned.append(await answer_after(3))
            raise

    task = asyncio.create_task(answered(waits(), 30))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["here"]
