"""
The slots of a backend: how many requests it has at a time, over all workers, and who waits for one.

Each slot is a lease in the store, renewed while its request runs, so that a worker that dies gives its slots
back. Those who wait have their place in the store as well; each worker asks for its first ones alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import uuid
from bisect import insort
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, Protocol

from litellm_homelab.state import Claim, Claimed, Pool, StateUnavailable, Store, answered, within

LEASE_SECONDS: Final = 15.0
"""How long a slot, or a place in the queue, outlives its worker."""
RENEW_SECONDS: Final = LEASE_SECONDS / 3
STORE_SECONDS: Final = 1.0
"""How long a request waits for the store (the contract's section on backends)."""
ALONE_SECONDS: Final = 5.0
"""How long a worker does without a store that has failed, before it asks again."""
OWED_SECONDS: Final = 1.0
"""How often a worker tries to give back what the store did not take."""
FIRST_POLL, LAST_POLL = 0.02, 0.1
"""Seconds between two questions of a worker for a slot that another worker may have given back."""
ANY: Final = 2**31
"""The limit of a claim that must be granted: its request is under way."""
LOST: Final = (StateUnavailable, TimeoutError)
LEAST_RETRY, MOST_RETRY = 1, 300


class Full(Exception):
    """No slot is free for a request, and it may not wait, or not any longer."""

    def __init__(self, waited: float, retry_after: int) -> None:
        super().__init__("no slot")
        self.waited = waited
        self.retry_after = retry_after


class Gone(Exception):
    """The client left while its request waited."""


class Watching(Protocol):
    """Who follows what happens to the slots of a backend."""

    def slots_used(self, backend: str, used: int) -> None:
        """`used` slots are held by requests of this worker."""

    def waiting(self, backend: str, number: int) -> None:
        """`number` requests of this worker wait."""

    def waited(self, backend: str, rank: int, seconds: float) -> None:
        """A request has waited, whether it got a slot or not."""

    def store_lost(self, error: Exception) -> None:
        """The store did not answer; this worker does without it for a while."""


@dataclass(slots=True, eq=False)
class Slot:
    """The right to one request at a backend."""

    slots: Slots
    owner: str
    since: float
    waited: float = 0.0
    is_sent: bool = False
    """Whether its request has left; then it is given back when the answer is closed."""
    is_held: bool = True

    def release(self) -> None:
        """Give it back; a second time does nothing."""
        if self.is_held:
            self.is_held = False
            self.slots.give_back(self)


@dataclass(slots=True, order=True)
class _Request:
    """A request of this worker that waits."""

    rank: int
    number: int
    owner: str = field(compare=False)
    granted: asyncio.Future[None] = field(compare=False)


class Slots:
    """The slots of one backend, as one worker sees them."""

    def __init__(
        self,
        backend: str,
        limit: int,
        *,
        length: int,
        wait_seconds: float,
        store: Store,
        workers: int,
        watching: Watching,
    ) -> None:
        self.backend = backend
        self._limit, self._length, self._wait_seconds = limit, length, wait_seconds
        self._alone_limit = max(1, limit // workers)
        self._store, self._watching = store, watching
        self._pool = f"slots:{backend}"
        self._pools = (self._pool,)
        self._held: dict[str, Slot] = {}
        self._waiting: list[_Request] = []
        self._numbers = itertools.count()
        self._wake = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._later: tuple[asyncio.AbstractEventLoop | None, asyncio.TimerHandle | None] = None, None
        """When it begins, where all it has to do is to renew."""
        self._background: set[asyncio.Task[None]] = set()
        self._owed: set[str] = set()
        """Owners whose slots or places are free here, and not yet in the store."""
        self._alone_until = -math.inf
        self._mean_seconds = 0.0

    # --- requests ----------------------------------------------------------------------------------

    async def take(self, rank: int, left: Callable[[], Awaitable[None]]) -> Slot:
        """
        Take a slot, or wait for one; `left` returns when the client leaves.

        Raises:
            Full: as many wait as may, or this request has waited for as long as it may.
            Gone: the client left.

        """
        owner, began = uuid.uuid4().hex, monotonic()
        try:
            answer = await self._ask(owner, rank, new=True)
            if answer is Claimed.GRANTED:
                return self._hold(owner)
            if answer is Claimed.WAITING:
                await self._wait(_Request(rank, next(self._numbers), owner, _future()), began, left)
        except BaseException:
            self._abandon(owner)
            raise
        if answer is Claimed.FULL:
            raise Full(0.0, self._retry_after())
        slot = self._held[owner]
        slot.waited = monotonic() - began
        return slot

    async def _wait(self, place: _Request, began: float, left: Callable[[], Awaitable[None]]) -> None:
        insort(self._waiting, place)
        self._changed()
        self._wake.set()  # the task may sleep until its next renewal
        leaving = asyncio.ensure_future(left())
        try:
            await asyncio.wait(
                {place.granted, leaving}, timeout=self._wait_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not place.granted.done():
                raise Gone if leaving.done() else Full(monotonic() - began, self._retry_after())
        finally:
            leaving.cancel()
            with contextlib.suppress(ValueError):  # one that was granted is not there any more
                self._waiting.remove(place)
            self._watching.waited(self.backend, place.rank, monotonic() - began)
            self._changed()

    def give_back(self, slot: Slot) -> None:
        """Free a slot (`Slot.release`)."""
        held = monotonic() - slot.since
        self._mean_seconds = 0.8 * self._mean_seconds + 0.2 * held if self._mean_seconds else held
        self._held.pop(slot.owner, None)
        self._watching.slots_used(self.backend, len(self._held))
        self._spawn(self._released(slot.owner))

    def _abandon(self, owner: str) -> None:
        """Undo what a request has asked for that ends without its slot."""
        slot = self._held.get(owner)
        if slot is not None:
            slot.release()
        else:
            self._spawn(self._released(owner))

    def _hold(self, owner: str) -> Slot:
        slot = self._held[owner] = Slot(self, owner, monotonic())
        self._watching.slots_used(self.backend, len(self._held))
        loop = asyncio.get_running_loop()
        if self._later[0] is not loop:
            self._serve_on(loop)
        return slot

    def _retry_after(self) -> int:
        """When a slot may be free: after as many requests as wait, each as long as the last ones were."""
        seconds = self._mean_seconds * (len(self._waiting) + 1) / self._limit
        return max(LEAST_RETRY, min(MOST_RETRY, math.ceil(seconds)))

    # --- the store ---------------------------------------------------------------------------------

    async def _ask(self, owner: str, rank: int, *, new: bool) -> Claimed:
        """Ask the store for a slot; where it cannot be reached, this worker's own share."""
        if monotonic() >= self._alone_until:
            claim = Claim(self._pool, self._limit, rank=rank, length=self._length)
            try:
                return await answered(self._store.lease([claim], owner, LEASE_SECONDS), STORE_SECONDS)
            except LOST as error:
                self._lost(error)
        ahead = any(one.rank <= rank for one in self._waiting) if new else False
        if len(self._held) < self._alone_limit and not ahead:
            return Claimed.GRANTED
        return Claimed.WAITING if not new or len(self._waiting) < self._length else Claimed.FULL

    def _lost(self, error: Exception) -> None:
        """A question to the store failed or took too long: it is the last for a while."""
        self._alone_until = monotonic() + ALONE_SECONDS
        self._watching.store_lost(error)

    async def _released(self, owner: str) -> None:
        owed = self._owed
        owed.add(owner)
        if monotonic() >= self._alone_until:
            await self._release(owner)
            if owed:
                await self._release_owed()
        if owed or self._waiting:
            self._wake.set()
            self._serve_on(asyncio.get_running_loop())

    async def _release_owed(self) -> None:
        """Give back to the store what is free; what it does not take now, after `OWED_SECONDS` again."""
        while self._owed and monotonic() >= self._alone_until:
            await self._release(next(iter(self._owed)))

    async def _release(self, owner: str) -> None:
        try:
            await answered(self._store.release(self._pools, owner), STORE_SECONDS)
        except LOST as error:
            self._lost(error)
        else:
            self._owed.discard(owner)

    async def _renew(self) -> None:
        """Prolong the slots and places of this worker; take slots again that the store has lost."""
        await self._release_owed()
        if monotonic() < self._alone_until:
            return
        try:
            async with within(STORE_SECONDS):
                owners = {*self._held, *(one.owner for one in self._waiting)}
                await self._store.renew(self._pools, owners, LEASE_SECONDS)
                known = await self._store.pool(self._pool)
                for owner in self._held.keys() - known.held.keys():
                    await self._store.lease([Claim(self._pool, ANY)], owner, LEASE_SECONDS)
                    if owner not in self._held:  # given back in between
                        await self._store.release(self._pools, owner)
        except LOST as error:
            self._lost(error)

    # --- in the background -------------------------------------------------------------------------

    def _changed(self) -> None:
        """Update the number of those who wait; run the task that asks for them."""
        self._watching.waiting(self.backend, len(self._waiting))
        self._serve_on(asyncio.get_running_loop())

    def _serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the task now where a request waits, or a slot is owed; to renew what is held it has time."""
        if self._serving is not None and not self._serving.done():
            return
        if self._waiting or self._owed:
            self._serving = loop.create_task(self._serve(), context=Context())
        elif self._held and self._later[0] is not loop:
            self._later = loop, loop.call_later(RENEW_SECONDS, self._serve_later, context=Context())

    def _serve_later(self) -> None:
        self._later = None, None
        if self._is_busy() and (self._serving is None or self._serving.done()):
            self._serving = asyncio.get_running_loop().create_task(
                self._serve(renews=True), context=Context()
            )

    def _is_busy(self) -> bool:
        return bool(self._held or self._waiting or self._owed)

    async def _serve(self, *, renews: bool = False) -> None:
        pause, renewed = FIRST_POLL, monotonic()
        if renews:
            await self._renew()
        while self._is_busy():
            if await self._woken(pause):
                pause = FIRST_POLL
            if await self._grant():
                pause = FIRST_POLL
            pause = min(pause * 1.5, LAST_POLL)
            if monotonic() - renewed >= RENEW_SECONDS:
                renewed = monotonic()
                await self._renew()
            else:
                await self._release_owed()

    async def _woken(self, pause: float) -> bool:
        """Wait until a slot of this worker is given back, or for the time between two questions."""
        seconds = pause * random.uniform(0.7, 1.3) if self._waiting else RENEW_SECONDS  # noqa: S311
        seconds = min(seconds, OWED_SECONDS) if self._owed else seconds
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    async def _grant(self) -> bool:
        """Ask for the first of those who wait, and for the next as long as there are slots."""
        granted = False
        unknown, known = await self._in_order()
        for place in (*unknown, *known):
            if place not in self._waiting:
                continue
            if await self._ask(place.owner, place.rank, new=False) is not Claimed.GRANTED:
                if place in unknown:
                    continue
                break
            granted = True
            if place in self._waiting:
                self._waiting.remove(place)
                self._hold(place.owner)
                place.granted.set_result(None)
            else:  # it has left in between
                self._spawn(self._released(place.owner))
        return granted

    async def _in_order(self) -> tuple[list[_Request], list[_Request]]:
        """
        Those who wait here and may be granted a slot: those without a place in the store, and its first ones.

        The order of the store is not always the one in which they are known here: Redis answers those who ask
        side by side in any order. A place is missing where a question to the store failed, or expired.
        """
        if not self._waiting or monotonic() < self._alone_until:
            return [], [*self._waiting]
        pool = await self._now_in_the_store()
        if pool is None:
            return [], [*self._waiting]
        unknown = [one for one in self._waiting if one.owner not in pool.waiting]
        if pool.used >= self._limit:
            return unknown, []
        places = {owner: (one.rank, one.ticket) for owner, one in pool.waiting.items()}
        known = [one for one in self._waiting if one.owner in places]
        return unknown, sorted(known, key=lambda one: places[one.owner])

    async def _now_in_the_store(self) -> Pool | None:
        """The pool as the store has it; None where the store does not answer."""
        try:
            return await answered(self._store.pool(self._pool), STORE_SECONDS)
        except LOST as error:
            self._lost(error)
            return None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()
