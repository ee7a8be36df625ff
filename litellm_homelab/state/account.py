"""
What a store keeps of a quota: what is used of its windows, who has reserved how much, what was learned.

Everything changes in one step over all accounts that an attempt touches. Stores keep an account as text
(`written`); these pure functions are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from litellm_homelab.state import texts

KEPT: Final = 32
"""Windows of one name that are remembered: those that were used last, whatever the clock says."""
SHARDS: Final = 32
"""Workers whose counts of a window are kept apart."""
MOST_WORKERS: Final = 64
"""Workers whose changes are numbered; one that has been left out restores what is there already."""
REST: Final = "-"
"""The counts of further workers, together."""


# Named tuples, not frozen dataclasses: each attempt makes some, and Python needs a fifth of the opcodes.


@dataclass(frozen=True, slots=True)
class Use:
    """What one attempt takes of one window of an account."""

    account: str
    name: str
    """The window's name, such as `requests/day`."""
    starts: tuple[int, ...]
    """Starts of the spans whose counts add up, the one that is counted in first."""
    limit: int | None
    amount: int
    documented: bool = False
    """Whether a limit that the provider has said takes the place of this one, larger or smaller."""
    keys: tuple[str, ...] = field(init=False)
    """Where the counts are kept."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple([f"{self.name}@{start}" for start in self.starts]))


class Hold(NamedTuple):
    """What a request under way has reserved."""

    until: int
    """Milliseconds of the store's clock: then it is dropped."""
    amounts: Mapping[str, int]
    """By the key of the count."""
    is_sent: bool = False
    """Whether it counts as used when it is dropped; else it is returned."""


class KnownLimit(NamedTuple):
    """A limit that a provider has said."""

    limit: int
    confidence: int
    source: str


class Closure(NamedTuple):
    """A time in which nothing may be sent, as the provider has said."""

    since: int
    """Seconds since the epoch; for a clock that goes back to before it, nothing is closed."""
    until: int
    state: str
    source: str
    group: str = ""
    """The one group that it is for; empty for all."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What an answer of the provider's changes."""

    closures: Mapping[str, Closure] = field(default_factory=dict)
    limits: Mapping[str, KnownLimit] = field(default_factory=dict)
    used: Mapping[str, int] = field(default_factory=dict)
    """What the provider has counted at least, by the key of the count."""

    def __bool__(self) -> bool:
        return bool(self.closures or self.limits or self.used)


Counts: TypeAlias = Mapping[str, int]
"""By worker: so that each can restore its own where the store has lost them."""
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class SpanCount(NamedTuple):
    """What is used of one span."""

    touched: int
    """The account's `changes` when it was counted in last."""
    by: Counts = NOTHING

    @property
    def total(self) -> int:
        """The sum over all workers."""
        return max(0, sum(self.by.values()))


class Account(NamedTuple):
    """One quota. Immutable: every change gives a new account."""

    used: Mapping[str, SpanCount] = NOTHING
    held: Mapping[str, Hold] = NOTHING
    limits: Mapping[str, KnownLimit] = NOTHING
    closed: Mapping[str, Closure] = NOTHING
    changes: int = 0
    by: Counts = NOTHING
    """Changes by worker, the latest worker last: a worker notices by its own that the store has lost some."""

    def total(self, keys: Iterable[str]) -> int:
        """What is used of several spans together."""
        used = self.used
        return sum([used[key].total for key in keys if key in used])

    def limit_of(self, use: Use) -> int | None:
        """The limit that counts: what the provider said instead of a documented one, else the smaller."""
        said = self.limits.get(use.name)
        if said is None:
            return use.limit
        return said.limit if use.documented or use.limit is None else min(said.limit, use.limit)

    def has_room(self, use: Use) -> bool:
        """Whether a use is within the limit; one that is larger than a whole window needs an empty one."""
        limit = self.limit_of(use) if self.limits else use.limit
        return limit is None or self.total(use.keys) + min(use.amount, limit) <= limit

    def closures(self, group: str, at: float) -> dict[str, Closure]:
        """What is closed to a group at a moment."""
        if not self.closed:
            return {}
        return {
            name: one
            for name, one in self.closed.items()
            if one.since <= at < one.until and one.group in ("", group)
        }

    def changed(self, worker: str) -> Account:
        """The account after one more change of a worker's."""
        return self.counted(worker, NOTHING)

    def add(self, worker: str, amounts: Mapping[str, int]) -> Account:
        """Count for a worker; negative amounts give back."""
        used = self._used(worker, amounts, self.changes)
        return Account(used, self.held, self.limits, self.closed, self.changes, self.by)

    def counted(self, worker: str, amounts: Mapping[str, int]) -> Account:
        """The account after one more change of a worker's, which counts amounts."""
        by, changes = dict(self.by), self.changes + 1
        by[worker] = by.pop(worker, 0) + 1
        if len(by) > MOST_WORKERS:
            by = _last(by)
        used = self._used(worker, amounts, changes) if amounts else self.used
        return Account(used, self.held, self.limits, self.closed, changes, by)

    def _used(self, worker: str, amounts: Mapping[str, int], changes: int) -> dict[str, SpanCount]:
        used = dict(self.used)
        for key, amount in amounts.items():
            known = used.get(key)
            by = {} if known is None else dict(known.by)
            by[worker] = by.get(worker, 0) + amount
            used[key] = SpanCount(changes, by if len(by) <= SHARDS else _folded(by, worker))
        return used if len(used) <= KEPT else _newest(used)

    def with_held(self, held: Mapping[str, Hold]) -> Account:
        """The account with these holds in the place of its own."""
        return Account(self.used, held, self.limits, self.closed, self.changes, self.by)

    def without(self, owner: str) -> Account:
        """The account without what an owner holds; the counts stay."""
        if owner not in self.held:
            return self
        return self.with_held({who: one for who, one in self.held.items() if who != owner})

    def at(self, now: int) -> Account:
        """The account after what has expired: it was used if it had been sent, and else it is returned."""
        found = self
        for owner, one in self.held.items():
            if one.until <= now:
                found = found.without(owner)
                if not one.is_sent:
                    found = found.add(worker_of(owner), _negative(one.amounts))
        return found

    def takes(self, name: str, said: KnownLimit) -> bool:
        """Whether a limit that a provider has said replaces the known one: only with as much confidence."""
        known = self.limits.get(name)
        return known is None or (said != known and said.confidence >= known.confidence)

    def corrected(self, by: Corrections, worker: str) -> Account:
        """The account with what a provider has said: counts only rise, and limits as `takes` says."""
        limits = {name: one for name, one in by.limits.items() if self.takes(name, one)}
        missing = {key: amount - self.total([key]) for key, amount in by.used.items()}
        changed = self._replace(limits={**self.limits, **limits}, closed={**self.closed, **by.closures})
        return changed.add(worker, {key: amount for key, amount in missing.items() if amount > 0}).changed(
            worker
        )

    def has_lost(self, known: Account, worker: str) -> bool:
        """Whether the store has lost changes of a worker's: it was emptied, or is an older copy."""
        return known.by.get(worker, 0) > self.by.get(worker, 0)

    def merged(self, known: Account, worker: str) -> Account:
        """
        The account after its store has lost some of it, with what a worker knows.

        Each worker's own counts are exact, and others' at least what it saw last, so that all workers
        together restore them all, each when it comes.
        """
        used = dict(self.used)
        for key, count in known.used.items():
            has = used[key].by if key in used else {}
            by = {who: max(has.get(who, amount), amount) for who, amount in count.by.items()}
            used[key] = SpanCount(max(count.touched, self.changes), {**has, **by})
        held = {who: one for who, one in known.held.items() if worker_of(who) == worker}
        return Account(
            _newest(used),
            {**held, **self.held},
            {**known.limits, **self.limits},
            {**known.closed, **self.closed},
            max(known.changes, self.changes) + 1,
            _last({**self.by, worker: known.by[worker] + 1}),
        )


def _last(by: dict[str, int]) -> dict[str, int]:
    return dict([*by.items()][-MOST_WORKERS:])


def worker_of(owner: str) -> str:
    """The worker that an owner of a hold belongs to: `worker:number`."""
    return owner.partition(":")[0]


def _negative(amounts: Mapping[str, int]) -> dict[str, int]:
    return {key: -amount for key, amount in amounts.items()}


def _folded(by: dict[str, int], worker: str) -> dict[str, int]:
    rest = sum(amount for who, amount in by.items() if who != worker)
    return {worker: by[worker], REST: rest}


def _newest(used: dict[str, SpanCount]) -> dict[str, SpanCount]:
    """The counts that were used last, `KEPT` of each window: a clock that steps forward removes none."""
    names: dict[str, list[str]] = {}
    for key in used:
        names.setdefault(key.partition("@")[0], []).append(key)
    for keys in names.values():
        for key in sorted(keys, key=lambda one: used[one].touched)[:-KEPT]:
            del used[key]
    return used


Accounts: TypeAlias = Mapping[str, Account]


class Reserved(NamedTuple):
    """What became of a reservation, and the accounts as they are then."""

    is_granted: bool
    accounts: Accounts


def reserve(
    accounts: Accounts, uses: Collection[Use], owner: str, group: str, at: float, now: int, until: int
) -> Reserved:
    """
    Reserve all uses, or none; an owner that holds them already is granted them again.

    `at` is the worker's clock, in seconds, for what is closed; `now` and `until` are milliseconds of the
    store's, for holds.
    """
    fresh = {name: one.at(now) for name, one in accounts.items()}
    if any(owner in one.held for one in fresh.values()):
        return Reserved(is_granted=True, accounts=fresh)
    room = all(fresh[one.account].has_room(one) for one in uses)
    if not room or any(one.closures(group, at) for one in fresh.values()):
        return Reserved(is_granted=False, accounts=fresh)
    return Reserved(is_granted=True, accounts=_taken(fresh, uses, owner, until, is_sent=False))


def take(
    accounts: Accounts,
    uses: Collection[Use],
    owner: str,
    group: str,
    at: float,
    now: int,
    until: int,
    *,
    settles: bool,
    has_left: bool = False,
) -> Reserved:
    """
    Reserve all uses for a request that leaves now (`reserve` and `send` in one), or none.

    One that `has_left` already is counted whatever room there is. Where nothing is left to `settle`, no hold
    is kept.
    """
    fresh = {name: one.at(now) for name, one in accounts.items()}
    if not has_left:
        for use in uses:
            if not fresh[use.account].has_room(use):
                return Reserved(is_granted=False, accounts=fresh)
        for one in fresh.values():
            if one.closures(group, at):
                return Reserved(is_granted=False, accounts=fresh)
    if settles:
        return Reserved(is_granted=True, accounts=_taken(fresh, uses, owner, until, is_sent=True))
    worker = worker_of(owner)
    return Reserved(
        is_granted=True,
        accounts={name: one.counted(worker, _amounts_of(name, one, uses)) for name, one in fresh.items()},
    )


def send(
    accounts: Accounts, uses: Collection[Use], owner: str, now: int, until: int, *, settles: bool
) -> Reserved:
    """
    Note that the request of a reservation leaves now: it is counted in the windows of now.

    One that has expired, or that has waited over a reset, needs room there. Where nothing is left to
    `settle`, no hold is kept.
    """
    fresh = dict(release(accounts, owner, now))
    if not all(fresh[one.account].has_room(one) for one in uses):
        return Reserved(is_granted=False, accounts=fresh)
    taken = _taken(fresh, uses, owner, until, is_sent=True)
    kept = taken if settles else {name: one.without(owner) for name, one in taken.items()}
    return Reserved(is_granted=True, accounts=kept)


def settle(accounts: Accounts, owner: str, more: Mapping[str, Mapping[str, int]], now: int) -> Accounts:
    """Correct what a sent request was counted for (by account and key), and drop its hold."""
    return {
        name: one.at(now).without(owner).add(worker_of(owner), more.get(name, {})).changed(worker_of(owner))
        for name, one in accounts.items()
    }


def renew(accounts: Accounts, owners: Collection[str], until: int) -> Accounts:
    """
    Prolong what these owners hold, by their names.

    One that has expired is prolonged as well while it is still there; `Account.at` removes it.
    """
    found = {}
    for name, one in accounts.items():
        mine = {who: hold._replace(until=until) for who, hold in one.held.items() if who in owners}
        found[name] = one.with_held({**one.held, **mine}) if mine else one
    return found


def release(accounts: Accounts, owner: str, now: int) -> Accounts:
    """Return what a request has reserved that was not sent; what was returned already stays."""
    found = {}
    for name, one in ((name, one.at(now)) for name, one in accounts.items()):
        hold = one.held.get(owner)
        back = one if hold is None else one.add(worker_of(owner), _negative(hold.amounts))
        found[name] = back.without(owner).changed(worker_of(owner))
    return found


def _taken(
    accounts: Accounts, uses: Collection[Use], owner: str, until: int, *, is_sent: bool
) -> dict[str, Account]:
    found, worker = dict[str, Account](), worker_of(owner)
    for name, one in accounts.items():
        amounts = _amounts_of(name, one, uses)
        held = {**one.held, owner: Hold(until, amounts, is_sent)}
        found[name] = one.counted(worker, amounts).with_held(held)
    return found


def _amounts_of(name: str, account: Account, uses: Collection[Use]) -> dict[str, int]:
    """What an attempt takes of an account, by the key of the count."""
    return {use.keys[0]: _counted(account, use) for use in uses if use.account == name}


def _counted(account: Account, use: Use) -> int:
    limit = account.limit_of(use) if account.limits else use.limit
    return use.amount if limit is None else min(use.amount, limit)


def written(account: Account) -> str:
    """The account as stores keep it."""
    return texts.written(
        {
            "used": account.used,
            "held": account.held,
            "limits": account.limits,
            "closed": account.closed,
            "changes": account.changes,
            "by": account.by,
        }
    )


def read(text: str | None) -> Account:
    """
    The account that `written` wrote; an empty one for None.

    Raises:
        ValueError: it is something else.

    """
    if text is None:
        return Account()
    try:
        found = orjson.loads(text)
        return Account(
            {
                key: SpanCount(int(touched), dict(_amounts(by)))
                for key, (touched, by) in found["used"].items()
            },
            {
                who: Hold(int(until), dict(_amounts(amounts)), bool(is_sent))
                for who, (until, amounts, is_sent) in found["held"].items()
            },
            {
                name: KnownLimit(int(limit), int(confidence), str(source))
                for name, (limit, confidence, source) in found["limits"].items()
            },
            {
                name: Closure(int(one[0]), int(one[1]), *map(str, one[2:5]))
                for name, one in found["closed"].items()
            },
            int(found["changes"]),
            dict(_amounts(found["by"])),
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError("not an account") from error


def _amounts(found: Any) -> Iterator[tuple[str, int]]:  # noqa: ANN401 - JSON of any shape
    yield from ((str(key), int(value)) for key, value in found.items())
