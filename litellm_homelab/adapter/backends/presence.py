"""
How each backend is, as one worker knows it: probes in the background, and what attempts have met.

Each interval has an entry in the store. The worker that creates it asks the server, and writes there what
it has seen; the others read it. So a server gets one probe in each interval, however many workers there are,
and a worker that dies is missed for one interval. Without the store each worker asks for itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Final, Protocol

from litellm_homelab.adapter.backends import probing
from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.backends import presence
from litellm_homelab.backends.kinds import ServerKind
from litellm_homelab.backends.presence import BackendState, Probed, ProbeOutcome, Standing
from litellm_homelab.state import Entry, StateUnavailable, Store, within

STORE_SECONDS: Final = 1.0
"""How long a probe waits for the store (the contract's section on backends)."""
SEEN: Final = "seen"
KEPT: Final = 2
"""Intervals for which an entry is kept."""
WAKING_SECONDS: Final = 1.0
"""Between two probes of a backend that wakes."""
LOOK_SECONDS: Final = 0.1
"""Between two looks for what another worker has seen."""


@dataclass(frozen=True, slots=True)
class Probes:
    """How one backend is probed."""

    kind: ServerKind
    base: str
    key: str
    every: float
    """Seconds from one probe to the next."""
    timeout: float


class StandingWatcher(Protocol):
    """Who follows the standings of backends."""

    def standing(self, backend: str, state: BackendState) -> None:
        """A backend is in a state."""

    def probed(self, backend: str, outcome: ProbeOutcome) -> None:
        """This worker has asked a backend."""


class Presence:
    """
    The standing of each backend that `homelab.backends` wants to know of.

    `probes` gives how a backend is probed, None for one that is not (a cloud); it is asked each time, since
    the router's deployments may come later.
    """

    def __init__(
        self,
        intervals: Mapping[str, float],
        probes: Callable[[str], Probes | None],
        store: Store,
        watching: StandingWatcher,
    ) -> None:
        self._intervals = intervals
        self._probes = probes
        self._store = store
        self._watching = watching
        self._standings = {name: Standing(since=time.time()) for name in intervals}
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        """Where they run; each goes on until it is cancelled."""
        self._waking: dict[str, asyncio.Task[bool]] = {}
        self._deadlines: dict[str, float] = {}
        self._refused: dict[str, float] = {}
        """When an attempt last found no connection, by the monotonic clock."""
        self.version = 0
        """It grows with each probe and each refused connection."""
        self.away: frozenset[str] = frozenset()
        """The backends at which an attempt would find nothing; looked at for each attempt."""
        self.listed: Callable[[str, frozenset[str]], None] = lambda *_: None
        """Called when a backend has listed other models than before, or any for the first time."""

    # --- what is known -----------------------------------------------------------------------------

    def standing(self, backend: str) -> Standing:
        """How a backend is."""
        known = self._standings.get(backend)
        if known is None:
            return Standing()
        if known.state is BackendState.ABSENT and self._probes(backend) is None:
            self._set(backend, known.lapsed(time.time(), self._intervals[backend]))
        return self._standings[backend]

    def unreachable(self, backend: str) -> None:
        """An attempt found no connection to a backend: it is absent for the very next request."""
        known = self._standings.get(backend)
        if known is not None:
            self._refused[backend] = time.monotonic()
            self._set(backend, known.unreachable(time.time()))

    def waking(self, backend: str, seconds: float) -> asyncio.Task[bool]:
        """
        The task that waits for a waking backend; its result is True when the backend answers.

        All requests of this worker share it, each waits for so many seconds, and it ends with False after
        the last of them. Meanwhile the backend is probed once a second.
        """
        loop = asyncio.get_running_loop()
        self._deadlines[backend] = loop.time() + seconds
        known = self._waking.get(backend)
        if known is None or known.done() or known.get_loop() is not loop:
            known = loop.create_task(self._until_awake(backend), context=Context())
            self._waking[backend] = known
        return known

    async def _until_awake(self, backend: str) -> bool:
        now = asyncio.get_running_loop().time
        self._set(backend, self._standings[backend].woken(time.time()))
        while self._standings[backend].is_away:
            left = self._deadlines[backend] - now()
            if left <= 0:
                self._set(backend, self._standings[backend].overslept(time.time()))
                return False
            await self.round(backend, int(time.time()), "wake")
            if self._standings[backend].is_away:
                await asyncio.sleep(min(WAKING_SECONDS, left))
        return True

    def retry_after(self, backends: Iterable[str]) -> int:
        """Seconds after which one of some backends may be back: its next probe."""
        return presence.retry_after(self._intervals, backends)

    def _set(self, backend: str, now: Standing) -> None:
        before = self._standings[backend]
        if not self._passed_on(backend, before, now):
            now = replace(now, models=before.models)  # so that the next probe tries again
        self._standings[backend] = now
        self.version += 1
        if now.state is not before.state:
            self.away = frozenset(name for name, one in self._standings.items() if one.is_away)
            self._watching.standing(backend, now.state)

    def _passed_on(self, backend: str, before: Standing, now: Standing) -> bool:
        """Pass on the models of a backend where they have changed; False where that broke."""
        if now.models is None or now.models == before.models:
            return True
        try:
            self.listed(backend, now.models)
        except Exception as error:  # noqa: BLE001 - the backend is there, whatever becomes of its list
            why = f"the models of {backend} could not be taken over: {type(error).__name__}"
            log_seldom(logging.ERROR, f"homelab presence: {why}")
            return False
        return True

    # --- probes ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to probe, once, where an event loop runs; the tasks belong to no request."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if loop is not self._loop:
            self._loop = loop
            self._tasks = [
                loop.create_task(self._follow(name), context=Context()) for name in self._intervals
            ]

    def stop(self) -> None:
        """Probe no more."""
        for task in (*self._tasks, *self._waking.values()):
            if not task.get_loop().is_closed():
                task.cancel()
        self._tasks, self._waking, self._loop = [], {}, None

    async def _follow(self, backend: str) -> None:
        every = self._intervals[backend]
        shift = (
            every * (zlib.crc32(backend.encode()) % 1000) / 1000
        )  # spreads the probes of different backends over the interval
        while True:
            number = int((time.time() - shift) // every)
            try:
                await self.round(backend, number)
            except Exception as error:  # noqa: BLE001 - the next round is worth as much
                log_seldom(logging.ERROR, f"homelab presence: a probe broke: {type(error).__name__}")
            await asyncio.sleep(max(0.01, (number + 1) * every + shift - time.time()))

    async def round(self, backend: str, number: int, series: str = "presence") -> None:
        """Ask a backend in the interval of this number, or learn what another worker has seen there."""
        probes = self._probes(backend)
        if probes is None:
            return
        key, began = f"{series}:{backend}:{number}", time.monotonic()
        if not await self._is_mine(key, probes):
            await self._learn(backend, key, probes, began)
            return
        seen = await probing.probe(probes.kind, probes.base, probes.key, probes.timeout)
        self._watching.probed(backend, seen.outcome)
        self._take(backend, seen, began)
        await self._tell(key, seen)

    def _take(self, backend: str, seen: Probed, began: float) -> None:
        """Believe a probe, unless an attempt has found no connection since the probe began."""
        if self._refused.get(backend, began) <= began:
            self._set(backend, self._standings[backend].probed(seen, time.time()))

    async def _is_mine(self, key: str, probes: Probes) -> bool:
        """Whether this worker is the one that asks in this interval."""
        try:
            async with within(STORE_SECONDS):
                return await self._store.create(key, Entry(), KEPT * probes.every)
        except (StateUnavailable, TimeoutError):
            return True

    async def _tell(self, key: str, seen: Probed) -> None:
        try:
            async with within(STORE_SECONDS):
                await self._store.mark(key, SEEN, seen.written())
        except (StateUnavailable, TimeoutError):
            return

    async def _learn(self, backend: str, key: str, probes: Probes, began: float) -> None:
        """Wait for what another worker sees; nothing is learned where it does not say so in time."""
        until = time.monotonic() + min(4 * probes.timeout + STORE_SECONDS, probes.every)
        while time.monotonic() < until:
            try:
                async with within(STORE_SECONDS):
                    entry = await self._store.read(key)
            except (StateUnavailable, TimeoutError):
                return
            if entry is not None and SEEN in entry.marks:
                self._take(backend, presence.read(entry.marks[SEEN]), began)
                return
            await asyncio.sleep(LOOK_SECONDS)
