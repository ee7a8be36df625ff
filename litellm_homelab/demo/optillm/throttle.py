"""The fuse that keeps a loop through the gateway from taking the machine down."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

QUIET_SECONDS: Final = 5.0


class DemoLimitError(BaseException):
    """The stand-in refuses to go on, where real OptiLLM has no limit.

    Not an Exception, so that the approaches that swallow every upstream error do not go on either.
    """


class Throttle:
    """Bounds the calls upstream of all runs together.

    At most ``per_second`` calls start in a second: further ones wait.  With ``in_flight`` open at once the
    fuse blows: every call is refused until none was tried for ``QUIET_SECONDS``, so that what retries in a
    loop unwinds instead of going on for ever.
    """

    def __init__(
        self, per_second: float, in_flight: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = 1 / per_second
        self._limit = in_flight
        self._clock = clock
        self._open = 0
        self._next_start = 0.0
        self._refusing_until = 0.0

    @contextlib.asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Hold one of the calls; a DemoLimitError when it is refused."""
        self._check_fuse()
        self._open += 1
        try:
            await asyncio.sleep(self._reserve_start())
            yield
        finally:
            self._open -= 1

    def _check_fuse(self) -> None:
        now = self._clock()
        if self._open >= self._limit or now < self._refusing_until:
            self._refusing_until = now + QUIET_SECONDS
            raise DemoLimitError(
                f"demo optillm: {self._limit} calls were open at once, which looks like a loop; calls are"
                f" refused until there was none for {QUIET_SECONDS:g} s"
            )

    def _reserve_start(self) -> float:
        now = self._clock()
        start = max(now, self._next_start)
        self._next_start = start + self._interval
        return start - now
