"""The clock of a streamed attempt: waits for its upstream no longer than its limits allow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from litellm_homelab.adapter.litellm_api.timed_attempt import TimedAttempt
from litellm_homelab.coroutines import Begun
from litellm_homelab.timeouts.rule import Progress, Reached, deadline

T = TypeVar("T")


class AttemptClock:
    """Knows how far an attempt has come, and waits for the next part of its answer."""

    def __init__(self, attempt: TimedAttempt) -> None:
        self.attempt = attempt
        self._loop = asyncio.get_running_loop()
        self._progress = Progress(attempt.sent_at)

    async def wait(self, upstream: Awaitable[T]) -> T:
        """
        Wait for something of the upstream's.

        Raises:
            Stopped: a limit was reached before.

        """
        begun = Begun(upstream)
        if begun.is_done:
            return begun.result
        began = self._loop.time()
        due = deadline(self.attempt.limits, self._progress, began)
        scope = asyncio.timeout_at(due.at if due is not None else None)
        try:
            async with scope:
                return await begun.rest()
        except TimeoutError:
            if due is None or not scope.expired():
                raise
            raise self.attempt.stopped(Reached(due.limit, due.seconds)) from None
        finally:
            before = self._progress
            waited = before.waited + self._loop.time() - began
            self._progress = Progress(before.sent_at, before.has_content, waited)

    def content(self) -> None:
        """Note that the upstream has sent content."""
        self._progress = Progress(self._progress.sent_at, has_content=True)
