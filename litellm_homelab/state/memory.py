"""Entries in the memory of one process: for a gateway of one worker, and for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from litellm_homelab.state import pool as pools
from litellm_homelab.state.account import Account
from litellm_homelab.state.entry import Entry, Taken
from litellm_homelab.state.errors import Cause, StateUnavailable
from litellm_homelab.state.pool import Claim, Claimed, Pool

if TYPE_CHECKING:
    from litellm_homelab.state.store import Change

T = TypeVar("T")
MAX_ENTRIES = 10_000
"""Entries alive at a time; about 1 KB each, and far more than one worker can serve roots at a time."""


class MemoryStore:
    """
    A dictionary with a bound; atomic, because nothing in it awaits.

    When it is full, what has expired goes first. If all of it is alive, a new entry is refused rather than an
    old one dropped: a client that is being served keeps its counts, whoever floods the store.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._entries: dict[str, Entry] = {}
        self._expires_at: dict[str, float] = {}
        self._pools: dict[str, Pool] = {}
        self._accounts: dict[str, Account] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def create(self, key: str, entry: Entry, ttl: float) -> bool:
        """Create an entry (`Store.create`)."""
        if self._alive(key):
            return False
        if len(self._entries) >= self._max_entries:
            self._make_room()
        self._entries[key] = entry
        self._expires_at[key] = time.monotonic() + ttl
        return True

    async def take(self, key: str, counter: str, limit: str, unless: Collection[str]) -> Taken | None:
        """Check and count one more (`Store.take`)."""
        entry = self._alive(key)
        if entry is None:
            return None
        taken = entry.take(counter, limit, unless)
        self._entries[key] = taken.entry
        return taken

    async def add(self, key: str, amounts: Mapping[str, int]) -> Entry | None:
        """Add to several counters in one step (`Store.add`)."""
        return self._change(key, lambda entry: entry.add(amounts))

    async def mark(self, key: str, name: str, text: str, keep: float | None = None) -> Entry | None:
        """Set a mark unless it is set (`Store.mark`)."""
        marked = self._change(key, lambda entry: entry.mark(name, text))
        if marked is not None and keep is not None:
            self._expires_at[key] = min(self._expires_at[key], time.monotonic() + keep)
        return marked

    async def read(self, key: str) -> Entry | None:
        """Return the entry as it is now (`Store.read`)."""
        return self._alive(key)

    async def lease(self, claims: Sequence[Claim], owner: str, seconds: float) -> Claimed:
        """Take a lease of several pools (`Store.lease`)."""
        now = _milliseconds(time.monotonic())
        known = {one.pool: self._pools.get(one.pool, Pool()) for one in claims}
        answer, changed = pools.ask(known, claims, owner, now, now + _milliseconds(seconds))
        self._pools |= changed
        return answer

    async def renew(self, pools: Collection[str], owners: Collection[str], seconds: float) -> None:
        """Prolong what these owners have (`Store.renew`)."""
        until = _milliseconds(time.monotonic() + seconds)
        for name in pools:
            self._pools[name] = self._pool(name).renew(owners, until)

    async def release(self, pools: Collection[str], owner: str) -> None:
        """Give back what the owner has (`Store.release`)."""
        for name in pools:
            self._pools[name] = self._pool(name).without(owner)

    async def pool(self, name: str) -> Pool:
        """Return a pool as it is now (`Store.pool`)."""
        return self._pool(name)

    async def change(self, names: Collection[str], change: Change[T]) -> T:
        """Change several accounts in one step (`Store.change`)."""
        known = {name: self._accounts.get(name, Account()) for name in names}
        answer, changed = change(known, _milliseconds(time.monotonic()))
        self._accounts |= changed
        return answer

    async def close(self) -> None:
        """Do nothing: memory has no connection, and the entries stay (`Store.close`)."""

    def _pool(self, name: str) -> Pool:
        return self._pools.get(name, Pool()).at(_milliseconds(time.monotonic()))

    def _alive(self, key: str) -> Entry | None:
        if self._expires_at.get(key, 0.0) > time.monotonic():
            return self._entries[key]
        self._drop(key)
        return None

    def _change(self, key: str, change: Callable[[Entry], Entry]) -> Entry | None:
        entry = self._alive(key)
        if entry is None:
            return None
        self._entries[key] = change(entry)
        return self._entries[key]

    def _make_room(self) -> None:
        now = time.monotonic()
        for key in [key for key, expires_at in self._expires_at.items() if expires_at <= now]:
            self._drop(key)
        if len(self._entries) >= self._max_entries:
            detail = f"all {self._max_entries} entries are in use"
            raise StateUnavailable("memory://", Cause.TOO_MANY_ENTRIES, detail)

    def _drop(self, key: str) -> None:
        self._entries.pop(key, None)
        self._expires_at.pop(key, None)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
