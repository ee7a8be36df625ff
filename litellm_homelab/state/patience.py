"""How long a worker waits for its store: its own delays do not count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from litellm_homelab.coroutines import rest_of

T = TypeVar("T")

STEPS: Final = 10
"""
Into how many parts a wait is divided; each lasts for at least one turn of the event loop.

A round trip to Redis takes several turns, and on a busy worker a turn takes up to a second (measured on
LiteLLM 1.106.2 with 100 requests). For `asyncio.timeout`, an answer that came and was not read yet is late.
"""


async def answered(awaited: Awaitable[T], seconds: float) -> T:
    """
    What an awaitable returns, limited like a `within` block from where it first waits.

    Memory and SQLite mostly answer without waiting, and need no timer then.

    Raises:
        TimeoutError: the seconds are over.

    """
    # As `coroutines.Begun`, without making one: every slot that is taken or given back comes here.
    steps = awaited.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as ended:
        found: T = ended.value
        return found
    async with within(seconds):
        return await rest_of(steps, waits_for)


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """
    Limit what is awaited to `seconds` in which this worker's event loop is free to read an answer.

    Raises:
        TimeoutError: they are over.

    """
    async with asyncio.timeout(None) as scope:
        steps = _Steps(scope, seconds / STEPS)
        try:
            yield
        finally:
            steps.timer.cancel()


class _Steps:
    """Ends a timeout after its last step; each begins when the one before it has ended."""

    def __init__(self, scope: asyncio.Timeout, seconds: float) -> None:
        self._scope, self._seconds = scope, seconds
        self._left = STEPS
        self._loop = asyncio.get_running_loop()
        self.timer = self._loop.call_later(seconds, self._step)

    def _step(self) -> None:
        self._left -= 1
        if self._left > 0:
            self.timer = self._loop.call_later(self._seconds, self._step)
        else:
            self._scope.reschedule(self._loop.time())
