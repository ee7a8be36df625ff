"""What a store keeps of a pool: its leases, those who wait for one, and until when."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claim:
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


@dataclass(frozen=True, slots=True)
class Lease:
    """A part of a pool that is held until it is given back, or until it expires."""

    until: int
    """Milliseconds of the store's clock."""
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Waiter:
    """One who waits for a part of a pool; forgotten if it does not ask again before `until`."""

    until: int
    rank: int
    ticket: int
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Pool:
    """
    Leases and waiters by the id that their owner gave them.

    Immutable: every change returns a new pool. Memory and SQLite run these methods, Redis the same in Lua.
    Times are whole milliseconds: Lua's JSON keeps 14 digits of a number.
    """

    held: Mapping[str, Lease] = field(default_factory=dict)
    waiting: Mapping[str, Waiter] = field(default_factory=dict)
    ticket: int = 0
    """The number of the next one that waits."""

    @property
    def used(self) -> int:
        """How much of the pool is held."""
        return sum(one.amount for one in self.held.values())

    def at(self, now: int) -> Pool:
        """The pool without what has expired."""
        return Pool(
            {owner: one for owner, one in self.held.items() if one.until > now},
            {owner: one for owner, one in self.waiting.items() if one.until > now},
            self.ticket,
        )

    def has_room(self, owner: str, claim: Claim) -> bool:
        """Whether a claim can be granted: what is free is enough for it and for all who wait before it."""
        if owner in self.held:
            return True
        own = self.waiting.get(owner)
        place = (claim.rank, own.ticket if own else self.ticket)
        before = sum(one.amount for one in self.waiting.values() if (one.rank, one.ticket) < place)
        return self.used + before + claim.amount <= claim.limit

    def takes_waiter(self, owner: str, claim: Claim) -> bool:
        """Whether the owner waits already, or may join those who do."""
        return owner in self.waiting or len(self.waiting) < claim.length

    def grant(self, owner: str, claim: Claim, until: int) -> Pool:
        """The pool with a lease of the owner; one that it has already is prolonged."""
        own = self.held.get(owner) or Lease(until, claim.amount)
        held = {**self.held, owner: replace(own, until=until)}
        return Pool(held, _without(self.waiting, owner), self.ticket)

    def wait(self, owner: str, claim: Claim, until: int) -> Pool:
        """The pool with the owner waiting, in its present place or as the last of its rank."""
        own = self.waiting.get(owner) or Waiter(until, claim.rank, self.ticket, claim.amount)
        ticket = self.ticket if owner in self.waiting else self.ticket + 1
        return Pool(self.held, {**self.waiting, owner: replace(own, until=until)}, ticket)

    def renew(self, owners: Collection[str], until: int) -> Pool:
        """The pool with the leases and the waits of these owners prolonged."""
        held = {who: replace(one, until=until) if who in owners else one for who, one in self.held.items()}
        waiting = {
            who: replace(one, until=until) if who in owners else one for who, one in self.waiting.items()
        }
        return Pool(held, waiting, self.ticket)

    def without(self, owner: str) -> Pool:
        """The pool without the owner's lease and wait."""
        return Pool(_without(self.held, owner), _without(self.waiting, owner), self.ticket)


def _without(named: Mapping[str, T], owner: str) -> dict[str, T]:
    return {who: one for who, one in named.items() if who != owner}


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
    held = {owner: [one.until, one.amount] for owner, one in pool.held.items()}
    waiting = {owner: [one.until, one.rank, one.ticket, one.amount] for owner, one in pool.waiting.items()}
    return json.dumps({"held": held, "waiting": waiting, "ticket": pool.ticket})


def read(text: str | None) -> Pool:
    """
    The pool that `written`, or Redis, wrote; an empty one for None.

    Raises:
        ValueError: it is something else.

    """
    if text is None:
        return Pool()
    try:
        found = json.loads(text)
        held = {owner: Lease(*map(int, one)) for owner, one in dict(found["held"]).items()}
        waiting = {owner: Waiter(*map(int, one)) for owner, one in dict(found["waiting"]).items()}
        return Pool(held, waiting, int(found["ticket"]))
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("not a pool") from error
