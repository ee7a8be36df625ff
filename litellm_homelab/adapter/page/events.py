"""Refusals and blocked loops of this worker: the last ones, and counts by hour in the store."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Final

from litellm_homelab.decision import Refuse
from litellm_homelab.page.facts import KEPT, LONGEST, HourCounts, SeenRefusal
from litellm_homelab.state import Entry, StateUnavailable, Store, within

HOUR: Final = 3600
HOURS: Final = 24
"""HourCounts that are added up: the current one, and those before it."""
KEEP_SECONDS: Final = 26.0 * HOUR
SINCE: Final = "page:since"
"""The entry that says from when on is counted."""
SINCE_SECONDS: Final = 400.0 * 24 * HOUR
PAUSE_SECONDS: Final = 1.0
"""At most once in so many seconds a worker writes its counts, however many requests it refuses."""
STORE_SECONDS: Final = 1.0
REFUSALS, LOOPS = "refusals", "loops"


class RefusalLog:
    """
    What happens seldom: a refused request is noted here, and written to the store by a task of its own.

    `loops` says how many loops this process has counted so far.
    """

    def __init__(
        self, store: Store, loops: Callable[[], int], clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._loops, self._clock = store, loops, clock
        self._last: deque[SeenRefusal] = deque(maxlen=KEPT)
        self._unwritten = 0
        self._loops_written = loops()
        self._task: asyncio.Task[None] | None = None
        self._past: dict[int, tuple[int, int]] = {}
        """HourCounts that are over, as they were read."""
        self._has_begun = False
        self.started_at = clock()

    def refused(self, rule: str, refusal: Refuse, handle: str | None, caller: str) -> None:
        """Note a refusal that a client got."""
        message = refusal.message[:LONGEST]
        self._last.append(
            SeenRefusal(self._clock(), refusal.type.value, refusal.status, rule, handle, caller, message)
        )
        self._unwritten += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._soon(), context=Context())

    def last(self) -> tuple[SeenRefusal, ...]:
        """The last refusals of this worker, the oldest first."""
        return tuple(self._last)

    async def _soon(self) -> None:
        await asyncio.sleep(PAUSE_SECONDS)
        await self.write()

    async def write(self) -> bool:
        """Add what is counted here to the store's hour; False where the store does not answer."""
        refusals, loops = self._unwritten, self._loops()
        if not refusals and loops == self._loops_written:
            return True
        key = _key(self._hour())
        try:
            async with within(STORE_SECONDS):
                await self._begin()
                await self._store.create(key, Entry(), KEEP_SECONDS)
                await self._store.add(key, {REFUSALS: refusals, LOOPS: loops - self._loops_written})
        except (StateUnavailable, TimeoutError):
            return False
        self._unwritten -= refusals
        self._loops_written = loops
        return True

    async def hours(self) -> HourCounts:
        """
        Counts of all workers in the last hours; those of this worker are written first.

        Raises:
            StateUnavailable: the store does not answer.
            TimeoutError: it does not answer in time.

        """
        await self.write()
        hour = self._hour()
        async with within(STORE_SECONDS):
            await self._begin()
            began = await self._store.read(SINCE)
            found = [await self._of(one, hour) for one in range(hour - HOURS + 1, hour + 1)]
        since = float(began.marks["at"]) if began is not None else self.started_at
        first = float((hour - HOURS + 1) * HOUR)
        return HourCounts(sum(one[0] for one in found), sum(one[1] for one in found), max(since, first))

    async def _begin(self) -> None:
        """Note, once, from when on is counted; where the store knows that already, it stays."""
        if not self._has_begun:
            await self._store.create(SINCE, Entry(marks={"at": repr(self.started_at)}), SINCE_SECONDS)
            self._has_begun = True

    async def _of(self, hour: int, now: int) -> tuple[int, int]:
        """Refusals and loops of an hour; one that is over for a while is asked for once."""
        if hour in self._past:
            return self._past[hour]
        entry = await self._store.read(_key(hour))
        found = (entry.count(REFUSALS), entry.count(LOOPS)) if entry is not None else (0, 0)
        if hour < now - 1:
            self._past = {one: each for one, each in self._past.items() if one > now - HOURS}
            self._past[hour] = found
        return found

    def _hour(self) -> int:
        return int(self._clock() // HOUR)


def _key(hour: int) -> str:
    return f"page:hour:{hour}"
