"""Sessions that a logout has ended: noted in the store, for all workers, until they would end anyway."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.page.sessions import Session
from litellm_homelab.state import Entry, StateUnavailable, Store, within

STORE_SECONDS: Final = 1.0
NOT_NOTED: Final = (
    "homelab page: the store does not answer, so a logout has ended its session in this worker only"
)


class Logouts:
    """
    Which sessions have ended before their time.

    While the store does not answer, a worker knows of its own logouts: the page is what shows that the store
    is gone, so it stays open to who is logged in.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._own: dict[str, int] = {}
        """Until when each that this worker knows of would have been good, by its number."""

    async def add(self, session: Session) -> None:
        """End a session."""
        self._know(session)
        try:
            async with within(STORE_SECONDS):
                await self._store.create(_key(session), Entry(), max(1.0, session.expires - self._clock()))
        except (StateUnavailable, TimeoutError):
            log_seldom(logging.WARNING, NOT_NOTED)

    async def has(self, session: Session) -> bool:
        """Whether a session has ended by a logout."""
        if session.number in self._own:
            return True
        try:
            async with within(STORE_SECONDS):
                found = await self._store.read(_key(session))
        except (StateUnavailable, TimeoutError):
            return False
        if found is not None:
            self._know(session)
        return found is not None

    def _know(self, session: Session) -> None:
        now = self._clock()
        self._own = {number: until for number, until in self._own.items() if until > now}
        self._own[session.number] = session.expires


def _key(session: Session) -> str:
    return f"page:logout:{session.number}"
