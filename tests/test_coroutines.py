"""A coroutine that runs up to where it first waits, and then on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from litellm_homelab.coroutines import Begun


async def after(turns: int) -> str:
    """An answer after so many turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return "here"


async def test_what_does_not_wait_is_done_when_it_has_begun() -> None:
    """Its result is there without a turn of the loop."""
    begun = Begun(after(0))
    assert (begun.is_done, begun.result) == (True, "here")


@pytest.mark.parametrize("turns", [1, 2, 30])
async def test_what_waits_goes_on_where_it_waits(turns: int) -> None:
    """In the same task, for turns of the loop and for a future."""
    begun = Begun(after(turns))
    assert not begun.is_done
    assert await begun.rest() == "here"
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, future.set_result, 7)
    assert await Begun(future).rest() == 7


@pytest.mark.parametrize("chunks", [0, 2])
async def test_the_next_item_of_an_iterator(chunks: int) -> None:
    """`anext` with a default is not a coroutine, and is awaited in the same way."""

    async def numbers() -> AsyncIterator[int]:
        for one in range(chunks):
            await asyncio.sleep(0)
            yield one

    found, iterator = [], numbers()
    while True:
        begun = Begun(anext(iterator, None))
        one = begun.result if begun.is_done else await begun.rest()
        if one is None:
            break
        found.append(one)
    assert found == [*range(chunks)]


async def test_an_error_before_the_first_wait_is_raised_where_it_begins() -> None:
    """And one after it where the rest is awaited."""

    async def fails(turns: int) -> None:
        await after(turns)
        raise LookupError

    with pytest.raises(LookupError):
        Begun(fails(0))
    begun = Begun(fails(1))
    with pytest.raises(LookupError):
        await begun.rest()


async def test_a_cancellation_reaches_it() -> None:
    """It may catch it and go on, as in any task."""
    seen: list[str] = []

    async def stays() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
        return await after(2)

    async def whole() -> str:
        return await Begun(stays()).rest()

    task = asyncio.create_task(whole())
    await asyncio.sleep(0)
    task.cancel()
    assert (await task, seen) == ("here", ["cancelled"])


async def test_its_own_timeouts_are_those_of_its_task() -> None:
    """A time limit that begins before the first wait ends the rest."""

    async def limited() -> None:
        async with asyncio.timeout(0.02):
            await asyncio.sleep(60)

    begun = Begun(limited())
    with pytest.raises(TimeoutError):
        await begun.rest()
