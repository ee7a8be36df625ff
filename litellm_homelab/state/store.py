"""The interface that every store has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from litellm_homelab.state.entry import Entry, Taken


class Store(Protocol):
    """
    Entries by key, each with a time to live; every operation is atomic among all who share the store.

    An entry that has expired, was never created or was lost is `None`; no operation but `create` brings it
    back. Times are in seconds. Every operation raises `StateUnavailable` where the store cannot answer.
    """

    async def create(self, key: str, entry: Entry, ttl: float) -> bool:
        """Create an entry that lives for `ttl`; False, and no change, if there is one of that key."""

    async def take(self, key: str, counter: str, limit: str, unless: Collection[str]) -> Taken | None:
        """Check and count one more (`Entry.take`): of all who ask, as many as the limit are granted."""

    async def add(self, key: str, amounts: Mapping[str, int]) -> Entry | None:
        """Add to several counters in one step (`Entry.add`)."""

    async def mark(self, key: str, name: str, text: str, keep: float | None = None) -> Entry | None:
        """Set a mark unless it is set (`Entry.mark`); with `keep` the entry lives at most so much longer."""

    async def read(self, key: str) -> Entry | None:
        """Return the entry as it is now."""

    async def close(self) -> None:
        """Let go of connections; the next operation opens new ones."""
