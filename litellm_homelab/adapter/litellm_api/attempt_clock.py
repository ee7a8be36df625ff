"""The clock of one attempt: waits for its upstream no longer than its limits allow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.recording import meter
from litellm_homelab.coroutines import Begun
from litellm_homelab.timeouts.rule import Limit, Progress, Reached, TimeLimits, deadline

T = TypeVar("T")


class Stopped(Exception):
    """A limit ended an attempt."""

    def __init__(self, reached: Reached) -> None:
        super().__init__(reached.limit.value)
        self.reached = reached


class AttemptClock:
    """Starts when the attempt is sent."""

    def __init__(self, limits: TimeLimits, group: str, record: RequestContext) -> None:
        self.limits = limits
        self.record = record
        self._group = group
        self._loop = asyncio.get_running_loop()
        self._progress = Progress(self._loop.time())

    @property
    def handle(self) -> str:
        """The handle that the client asked for."""
        return self.record.asked or self.record.model or self._group

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
        due = deadline(self.limits, self._progress, began)
        scope = asyncio.timeout_at(due.at if due is not None else None)
        try:
            async with scope:
                return await begun.rest()
        except TimeoutError:
            if due is None or not scope.expired():
                raise
            raise self._stopped(Reached(due.limit, due.seconds)) from None
        finally:
            before = self._progress
            waited = before.waited + self._loop.time() - began
            self._progress = Progress(before.sent_at, before.has_content, waited)

    def content(self) -> None:
        """Note that the upstream has sent content."""
        self._progress = Progress(self._progress.sent_at, has_content=True)

    def connect(self) -> Stopped:
        """The client below had no connection in time."""
        return self._stopped(Reached(Limit.CONNECT, self.limits.connect or 0.0))

    def _stopped(self, reached: Reached) -> Stopped:
        meter().timed_out(self.record.asked, reached.limit.value)
        self.record.timeouts = (*self.record.timeouts, (self._group, reached))
        return Stopped(reached)
