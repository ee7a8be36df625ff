"""What a store keeps of a pool: its leases, those who wait for one, and until when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from litellm_homelab.state import texts

T = TypeVar("T")
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Claim(NamedTuple):
    """What one lease takes of one pool."""

    pool: str
    """The pool's name."""
    limit: int
    """The size of the pool; each claim brings it, since it comes from the settings."""
    amount: int = 1
    rank: int = 0
    """A lower rank goes first; within a rank, the one that came first."""
    length: int = 0
    """How many may wait; with 0 a claim that is not granted is refused."""


class Claimed(StrEnum):
    """What became of a claim."""

    GRANTED = "granted"
    WAITING = "waiting"
    FULL = "full"


class Lease(NamedTuple):
    """A part of a pool that is held until it is given back, or until it expires."""

    until: int
    """Milliseconds of the store's clock."""
    amount: int = 1


class Waiter(NamedTuple):
    """One who waits for a part of a pool; forgotten if it does not ask again before `until`."""

    until: int
    rank: int
    ticket: int
    amount: int = 1


class Pool(NamedTuple):
    """
    Leases and waiters by the id that their owner gave them.

    Immutable: every change returns a new pool. Memory and SQLite run these methods, Redis the same in Lua.
    Times are whole milliseconds: Lua's JSON keeps 14 digits of a number.
    """

    held: Mapping[str, Lease] = NOTHING
    waiting: Mapping[str, Waiter] = NOTHING
    ticket: int = 0
    """The number of the next one that waits."""

    @property
    def used(self) -> int:
        """How much of the pool is held."""
        return sum([one.amount for one in self.held.values()])

    def at(self, now: int) -> Pool:
        """The pool without what has expired."""
        if not self.held and not self.waiting:
            return self
        return Pool(
            {owner: one for owner, one in self.held.items() if one.until > now},
            {owner: one for owner, one in self.waiting.items() if one.until > now},
            self.ticket,
        )

    def has_room(self, owner: str, claim: Claim) -> bool:
        """Whether a claim can be granted: what is free is enough for it and for all who wait before it."""
        if owner in self.held:
            return True
        return self.used + self._before(owner, claim.rank) + claim.amount <= claim.limit

    def _before(self, owner: str, rank: int) -> int:
        """How much those have asked for who wait before an owner."""
        if not self.waiting:
            return 0
        own = self.waiting.get(owner)
        place = (rank, own.ticket if own else self.ticket)
        return sum(one.amount for one in self.waiting.values() if (one.rank, one.ticket) < place)

    def takes_waiter(self, owner: str, claim: Claim) -> bool:
        """Whether the owner waits already, or may join those who do."""
        return owner in self.waiting or len(self.waiting) < claim.length

    def grant(self, owner: str, claim: Claim, until: int) -> Pool:
        """The pool with a lease of the owner; one that it has already is prolonged."""
        own = self.held.get(owner)
        held = {**self.held, owner: Lease(until, own.amount if own else claim.amount)}
        return Pool(held, _without(self.waiting, owner), self.ticket)

    def wait(self, owner: str, claim: Claim, until: int) -> Pool:
        """The pool with the owner waiting, in its present place or as the last of its rank."""
        own = self.waiting.get(owner) or Waiter(until, claim.rank, self.ticket, claim.amount)
        ticket = self.ticket if owner in self.waiting else self.ticket + 1
        return Pool(self.held, {**self.waiting, owner: own._replace(until=until)}, ticket)

    def renew(self, owners: Collection[str], until: int) -> Pool:
        """The pool with the leases and the waits of these owners prolonged."""
        held = {who: one._replace(until=until) if who in owners else one for who, one in self.held.items()}
        waiting = {
            who: one._replace(until=until) if who in owners else one for who, one in self.waiting.items()
        }
        return Pool(held, waiting, self.ticket)

    def without(self, owner: str) -> Pool:
        """The pool without the owner's lease and wait."""
        return Pool(_without(self.held, owner), _without(self.waiting, owner), self.ticket)


def _without(named: Mapping[str, T], owner: str) -> Mapping[str, T]:
    return {who: one for who, one in named.items() if who != owner} if owner in named else named


def ask(
    pools: Mapping[str, Pool], claims: Collection[Claim], owner: str, now: int, until: int
) -> tuple[Claimed, dict[str, Pool]]:
    """
    Decide on a lease of several pools: all of its claims are granted, or none.

    `pools` has those of the claims. The second value has them as they are afterwards.
    """
    fresh = {one.pool: pools[one.pool].at(now) for one in claims}
    if all(fresh[one.pool].has_room(owner, one) for one in claims):
        return Claimed.GRANTED, {one.pool: fresh[one.pool].grant(owner, one, until) for one in claims}
    if all(fresh[one.pool].takes_waiter(owner, one) for one in claims):
        return Claimed.WAITING, {one.pool: fresh[one.pool].wait(owner, one, until) for one in claims}
    return Claimed.FULL, {name: pool.without(owner) for name, pool in fresh.items()}


def written(pool: Pool) -> str:
    """The pool as SQLite and Redis keep it."""
    return texts.written({"held": pool.held, "waiting": pool.waiting, "ticket": pool.ticket})


def read(text: str | None) -> Pool:
    """
    The pool that `written`, or Redis, wrote; an empty one for None.

    Raises:
        ValueError: it is something else.

    """
    if text is None:
        return Pool()
    try:
        found = orjson.loads(text)
        held = {owner: Lease(*map(int, one)) for owner, one in dict(found["held"]).items()}
        waiting = {owner: Waiter(*map(int, one)) for owner, one in dict(found["waiting"]).items()}
        return Pool(held, waiting, int(found["ticket"]))
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError("not a pool") from error
