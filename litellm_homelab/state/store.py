"""The interface that every store has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from litellm_homelab.state.account import Accounts
from litellm_homelab.state.entry import Entry, Taken
from litellm_homelab.state.pool import Claim, Claimed, Pool

T = TypeVar("T")
Change: TypeAlias = Callable[[Accounts, int], tuple[T, Accounts]]


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

    async def lease(self, claims: Sequence[Claim], owner: str, seconds: float) -> Claimed:
        """
        Take a lease of several pools, all or none (`pool.ask`); who holds it already is granted it again.

        Who waits asks again with the same owner. A lease or a wait ends by itself after `seconds`.
        """

    async def renew(self, pools: Collection[str], owners: Collection[str], seconds: float) -> None:
        """Prolong what these owners hold, or wait for, in each of the pools."""

    async def release(self, pools: Collection[str], owner: str) -> None:
        """Give back what the owner holds, or end its wait; no change where there is neither."""

    async def pool(self, name: str) -> Pool:
        """Return a pool as it is now; an empty one if it has no leases and no waiters."""

    async def change(self, names: Collection[str], change: Change[T]) -> T:
        """
        Change several accounts in one step (`account.py`).

        `change` is given them and the milliseconds of the store's clock; it may run more than once, and what
        it gives back beside its answer is what becomes of them.
        """

    async def close(self) -> None:
        """Let go of connections; the next operation opens new ones."""
