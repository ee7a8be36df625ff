"""The fuse of the OptiLLM stand-in."""

from __future__ import annotations

import contextlib

import pytest

from litellm_homelab.demo.optillm.throttle import QUIET_SECONDS, DemoLimitError, Throttle


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


async def test_blows_and_recovers() -> None:
    """With too many calls open all are refused, until none was tried for the quiet time."""
    clock = Clock()
    throttle = Throttle(per_second=1e6, in_flight=2, clock=clock)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(throttle.call())
        with pytest.raises(DemoLimitError, match="2 calls were open at once, which looks like a loop"):
            await stack.enter_async_context(throttle.call())
    clock.now += QUIET_SECONDS - 1
    with pytest.raises(DemoLimitError):
        await throttle.call().__aenter__()
    clock.now += QUIET_SECONDS - 1
    with pytest.raises(DemoLimitError):
        await throttle.call().__aenter__()
    clock.now += QUIET_SECONDS
    async with throttle.call():
        clock.now += 1


async def test_closed_calls_do_not_count() -> None:
    """Calls one after the other never blow the fuse."""
    throttle = Throttle(per_second=1e6, in_flight=1, clock=Clock())
    for _ in range(5):
        async with throttle.call():
            continue
