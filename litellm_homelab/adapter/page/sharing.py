"""
Facts of all workers, by way of the store.

Time is cut into rounds. While the page is open, each worker writes what it knows into the entry of the round;
whoever serves the page reads the last rounds. While it is closed, a worker asks the store once in a round
whether that has changed. Where there is one worker, nothing of this runs.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from contextvars import Context
from typing import Final

from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.page import facts
from litellm_homelab.page.facts import WorkerFacts
from litellm_homelab.state import Entry, StateUnavailable, Store, within

ROUND_SECONDS: Final = 2.0
ROUNDS: Final = 3
"""How many rounds are looked at: a worker that is busy writes late."""
VIEWED_SECONDS: Final = 10
"""For how long one look counts; and for as long again."""
STORE_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 2 * ROUND_SECONDS
"""How long the first look waits for the other workers."""
STEP_SECONDS: Final = 0.2


class Sharing:
    """What the workers of a gateway know, each of its own."""

    def __init__(self, store: Store, own: Callable[[], WorkerFacts], workers: int) -> None:
        self._store, self._own = store, own
        self.workers = workers
        self.worker = uuid.uuid4().hex[:12]
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to answer other workers, once, where an event loop runs."""
        if self.workers < 2:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._follow(), context=Context())

    def stop(self) -> None:
        """Answer no more."""
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()
        self._task = None

    async def facts(self) -> list[WorkerFacts]:
        """
        What each worker knows, this one's first; fewer where the store, or a worker, does not answer.

        The first look in a while waits for the others.
        """
        own = self._own()
        if self.workers < 2:
            return [own]
        self.start()
        try:
            is_new = await self._look()
            until = time.monotonic() + (WAIT_SECONDS if is_new else 0.0)
            found = await self._others()
            while len(found) + 1 < self.workers and time.monotonic() < until:
                await asyncio.sleep(STEP_SECONDS)
                found = await self._others()
        except (StateUnavailable, TimeoutError):
            return [own]
        return [own, *found]

    async def _look(self) -> bool:
        """Say to all workers that the page is open; return whether it was closed before."""
        slot = int(time.time() // VIEWED_SECONDS)
        async with within(STORE_SECONDS):
            if not await self._store.create(_viewed(slot), Entry(), 3.0 * VIEWED_SECONDS):
                return False
            return await self._store.read(_viewed(slot - 1)) is None

    async def _others(self) -> list[WorkerFacts]:
        """The newest that each other worker has written."""
        number = int(time.time() // ROUND_SECONDS)
        newest: dict[str, str] = {}
        for one in range(number - ROUNDS + 1, number + 1):
            async with within(STORE_SECONDS):
                entry = await self._store.read(_round(one))
            newest |= entry.marks if entry is not None else {}
        newest.pop(self.worker, None)
        return [*filter(None, map(_read, newest.values()))]

    # --- the other side ----------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001 - the next round is worth as much
                log_seldom(logging.WARNING, f"homelab page: a round broke: {type(error).__name__}")
            await asyncio.sleep(ROUND_SECONDS - time.time() % ROUND_SECONDS)

    async def round(self) -> None:
        """Write what this worker knows while the page is open."""
        now = time.time()
        slot, number = int(now // VIEWED_SECONDS), int(now // ROUND_SECONDS)
        async with within(STORE_SECONDS):
            looked = await self._store.read(_viewed(slot)) or await self._store.read(_viewed(slot - 1))
            if looked is None:
                return
            await self._store.create(_round(number), Entry(), ROUNDS * 2 * ROUND_SECONDS)
            await self._store.mark(_round(number), self.worker, self._own().written())


def _read(text: str) -> WorkerFacts | None:
    """The facts of a worker; None for what another version of this package has written."""
    try:
        return facts.read(text)
    except ValueError:
        return None


def _viewed(slot: int) -> str:
    return f"page:viewed:{slot}"


def _round(number: int) -> str:
    return f"page:round:{number}"
