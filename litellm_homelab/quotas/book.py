"""
The accounts of all quotas, as one worker sees them: reservations, what is learned, and a store that fails.

What each worker has counted it can restore: where the store was emptied or is an older copy, it does so with
the next change.
"""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from litellm_homelab.quotas import bodies, learning
from litellm_homelab.quotas.forecast import LONG, used_up_at
from litellm_homelab.quotas.learning import Answered
from litellm_homelab.quotas.observations import Learned, Source
from litellm_homelab.quotas.rule import Exhausted, Quota, exhausted
from litellm_homelab.quotas.windows import Instant, Unit, Window
from litellm_homelab.state import StateUnavailable, Store, answered
from litellm_homelab.state import account as accounts
from litellm_homelab.state.account import Account, Accounts, Corrections, Reserved, Use

LEASE_SECONDS: Final = 60.0
"""How long a reservation outlives its worker, which prolongs it with each `look` while its request waits."""
STORE_SECONDS: Final = 5.0
"""How long an attempt waits for the store; under load of 64 clients a turn takes well under a second."""
PAUSE_SECONDS: Final = 1.0
"""How long a worker does not ask a store again that has failed."""
SHOW_SECONDS: Final = 5.0
"""How old the metrics of a worker's own attempts may be: no attempt waits for them."""

T = TypeVar("T")


class Exceeded(Exception):
    """A window is used up, or the provider has closed it."""

    def __init__(self, exhausted: Exhausted) -> None:
        super().__init__("quota used up")
        self.exhausted = exhausted


class StoreSilent(Exception):
    """The store does not answer, so what is left is unknown."""

    def __init__(self, quotas: Sequence[Quota]) -> None:
        super().__init__("the store of quotas does not answer")
        self.quotas = quotas


class Follower(Protocol):
    """Receives what happens to quotas."""

    def used(self, quota: str, window: str, used: int, limit: int | None, reset_seconds: float) -> None:
        """`used` of a window's limit is used, and it resets in `reset_seconds`."""

    def runs_out(self, quota: str, window: str, at: Instant | None) -> None:
        """When a day, week or month will be used up at its present rate; None where it resets before."""

    def learned(self, quota: str, source: str) -> None:
        """An answer of the provider said something about its limits, or something unknown."""

    def store_lost(self, error: Exception) -> None:
        """The store did not answer."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Reservation:
    """What one HTTP request has reserved."""

    book: Book
    quotas: Sequence[Quota]
    group: str
    tokens: int
    owner: str
    settles: bool
    """Whether how it ends changes what is counted."""
    way: object = None
    """How it leaves: requests of the same way all pass `send` before they leave, or none does."""
    is_planned: bool = False
    """Whether nothing is reserved until it leaves (`Book.plan`)."""
    counted: Mapping[str, Mapping[str, int]] | None = None
    """What it was counted for when it was sent, by account and key."""
    provider: str = ""
    """LiteLLM's, of the deployment; empty where it does not say whose server it is."""
    has_left: bool = False
    """Whether a client has sent it where nothing could be awaited: it is counted when its attempt ends."""
    is_sent: bool = False
    is_open: bool = True
    why: Exhausted | None = None
    """Why it may not leave."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do at its end."""
        return not self.is_open or (self.is_sent and not self.settles)

    async def send(self) -> bool:
        """
        Note that its request leaves; False where it has come too late, and may not.

        Raises:
            StoreSilent: the store does not answer, one of the quotas refuses then, and nothing has left yet.

        """
        self.is_sent = True
        try:
            return await self.book.send(self)
        except StoreSilent:
            self.is_sent = False
            raise

    async def release(self) -> None:
        """Return it, where it has not been sent; a second time does nothing."""
        if self.is_open and self.has_left and not self.is_sent:
            await self.send()
        elif self.is_open and not self.is_sent:
            self.is_open = False
            if not self.is_planned:
                await self.book.release(self)

    async def settle(self, tokens: int | None, *, failed: bool = False) -> None:
        """Correct the estimate, once: `tokens` as the provider says; None where it does not say."""
        if self.is_open and self.is_sent and self.settles:
            self.is_open = False
            await self.book.settle(self, 0 if failed else tokens, failed=failed)


class Book:
    """Reserves, settles and learns; every change is one step over all accounts that it touches."""

    def __init__(
        self,
        quotas: Sequence[Quota],
        store: Store,
        follower: Follower,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._quotas = {one.account: one for one in quotas}
        self._store, self._follower, self._clock = store, follower, clock
        self._worker = uuid.uuid4().hex[:12]
        self._numbers = itertools.count()
        self._seen: dict[str, Account] = {}
        self._waiting: weakref.WeakValueDictionary[str, Reservation] = weakref.WeakValueDictionary()
        """What is reserved and not sent, by owner."""
        self._late: list[Reservation] = []
        """What left or ended while the store did not answer: it is counted or returned later."""
        self._paused_until = 0.0
        self._ways: set[object] = set()
        """Those whose requests pass `send` before they leave, as one of them has."""
        self._unshown: dict[str, Account] = {}

    # --- an attempt --------------------------------------------------------------------------------

    def plan(self, quotas: Sequence[Quota], group: str, tokens: int, way: object) -> Reservation | None:
        """
        Plan to reserve for one HTTP request in the step that sends it; None where `reserve` must come first.

        That is where it is not certain that it will pass `send`, or there seems to be no room: an attempt
        that is refused before it begins costs less.
        """
        if way not in self._ways or time.monotonic() < self._paused_until:
            return None
        at = self._clock()
        for quota in quotas:
            account = self._seen.get(quota.account)
            if account is None or account.closures(group, at):
                return None
            if False in [account.has_room(one) for one in quota.uses(tokens, at)]:
                return None
        settles = True in [one.settles for one in quotas]
        return Reservation(self, quotas, group, tokens, self._owner(), settles, way, is_planned=True)

    def _owner(self) -> str:
        return f"{self._worker}:{next(self._numbers)}"

    async def reserve(
        self, quotas: Sequence[Quota], group: str, tokens: int, way: object = None
    ) -> Reservation | None:
        """
        Reserve for one HTTP request; None where it is served without, since the store does not answer.

        Raises:
            Exceeded: there is no room.
            StoreSilent: the store does not answer, and one of the quotas refuses then.

        """
        owner, at = self._owner(), self._clock()
        uses = [use for one in quotas for use in one.uses(tokens, at)]

        def work(found: Accounts, now: int) -> tuple[Reserved, Accounts]:
            done = accounts.reserve(found, uses, owner, group, at, now, now + _LEASE)
            return done, done.accounts

        done = await self._change(quotas, work)
        if done is None:
            if all(one.serves_without_state for one in quotas):
                return None
            raise StoreSilent(quotas)
        self._show(done.accounts)
        if not done.is_granted:
            why = exhausted(quotas, done.accounts, tokens, group, at)
            raise Exceeded(why or Exhausted(at + 1, quotas[0]))
        settles = any(one.settles for one in quotas)
        found = self._waiting[owner] = Reservation(self, quotas, group, tokens, owner, settles, way)
        return found

    async def send(self, reservation: Reservation) -> bool:
        """Note that a request leaves (`Reservation.send`)."""
        at, owner, group, tokens = self._clock(), reservation.owner, reservation.group, reservation.tokens
        settles, has_left = reservation.settles, reservation.has_left
        uses = [use for one in reservation.quotas for use in one.uses(tokens, at)]
        (self._ways.discard if has_left else self._ways.add)(reservation.way)

        is_planned = reservation.is_planned

        def work(found: Accounts, now: int) -> tuple[Reserved, Accounts]:
            until = now + _LEASE
            if is_planned:
                done = accounts.take(
                    found, uses, owner, group, at, now, until, settles=settles, has_left=has_left
                )
            else:
                done = accounts.send(found, uses, owner, now, until, settles=settles)
            return done, done.accounts

        done = await self._change(reservation.quotas, work)
        if done is None:  # what is not sent is returned when its reservation expires
            if not (reservation.has_left or all(one.serves_without_state for one in reservation.quotas)):
                raise StoreSilent(reservation.quotas)
            self._late.append(reservation)
            return True
        self._waiting.pop(owner, None)
        if settles:
            reservation.counted = {
                name: one.held[owner].amounts for name, one in done.accounts.items() if owner in one.held
            }
        self._show(done.accounts)
        if not done.is_granted:
            reservation.why = exhausted(reservation.quotas, done.accounts, tokens, group, at)
        return done.is_granted

    async def release(self, reservation: Reservation) -> None:
        """Return what was not sent."""
        owner = reservation.owner
        self._waiting.pop(owner, None)
        done = await self._change(
            reservation.quotas, lambda found, now: (True, accounts.release(found, owner, now))
        )
        if done is None:
            self._late.append(reservation)

    async def settle(self, reservation: Reservation, tokens: int | None, *, failed: bool) -> None:
        """Correct what a request was counted for (`Reservation.settle`)."""
        if reservation in self._late:  # not counted yet: once, and now
            await self._catch_up(reservation)
            if reservation in self._late:
                return
        more = {one.account: self._difference(one, reservation, tokens, failed) for one in reservation.quotas}
        owner = reservation.owner
        await self._change(
            reservation.quotas, lambda found, now: (None, accounts.settle(found, owner, more, now))
        )

    @staticmethod
    def _difference(
        quota: Quota, reservation: Reservation, tokens: int | None, failed: bool
    ) -> dict[str, int]:
        counted = (reservation.counted or {}).get(quota.account, {})
        if failed and quota.counts_successes:
            return {key: -amount for key, amount in counted.items()}
        if tokens is None:
            return {}
        return {key: tokens - amount for key, amount in counted.items() if key.startswith(Unit.TOKENS)}

    # --- learning ----------------------------------------------------------------------------------

    def read(self, quotas: Sequence[Quota], answer: Answered, group: str) -> dict[str, Corrections]:
        """What an answer changes, by account; what changes nothing that this worker knows of is left out."""
        at, found = self._clock(), dict[str, Corrections]()
        for quota in quotas:
            if not quota.learns:
                continue
            asked = Answered(answer.status, answer.headers, answer.body, quota.provider or answer.provider)
            learned = learning.learn(asked, quota.windows, at)
            self._count(quota, learned)
            found |= self._unknown(quota, learned, group, at)
        return found

    def read_key(self, quota: Quota, body: bytes) -> dict[str, Corrections]:
        """What the provider's own account of the key changes (OpenRouter's `GET /api/v1/key`)."""
        learned = Learned(bodies.openrouter_key(body))
        self._count(quota, learned)
        return self._unknown(quota, learned, "", self._clock())

    def _unknown(self, quota: Quota, learned: Learned, group: str, at: Instant) -> dict[str, Corrections]:
        corrections = learning.corrections(learned, quota.windows, quota.calendars, group, at)
        new = _new(corrections, self._seen.get(quota.account, Account()))
        return {quota.account: new} if new else {}

    async def learn(self, by: Mapping[str, Corrections]) -> None:
        """Keep what was read, for all workers and over restarts."""

        def work(found: Accounts, now: int) -> tuple[None, Accounts]:
            found = {name: one.at(now) for name, one in found.items()}
            return None, {name: one.corrected(by[name], self._worker) for name, one in found.items()}

        await self._change([self._quotas[name] for name in by], work)

    def _count(self, quota: Quota, learned: Learned) -> None:
        sources = {one.source for one in learned.observations}
        sources |= {Source.RETRY} if learned.retry_at is not None else set()
        sources |= {Source.UNKNOWN} if learned.is_unknown else set()
        for source in sources:
            self._follower.learned(quota.name, source)

    # --- what is shown -----------------------------------------------------------------------------

    async def look(self) -> None:
        """Read all accounts, to show them; prolong what waits, and do what the store has missed."""
        quotas, owners = [*self._quotas.values()], frozenset(self._waiting)

        def work(found: Accounts, now: int) -> tuple[Accounts, Accounts]:
            fresh = {name: one.at(now) for name, one in found.items()}
            return fresh, accounts.renew(found, owners, now + _LEASE) if owners else {}

        found = await self._change(quotas, work) or {}
        self._unshown |= found
        self.show()
        self._forecast(found)
        for one in [*self._late]:
            if one in self._late:  # nothing has settled it in between
                await self._catch_up(one)

    async def _catch_up(self, reservation: Reservation) -> None:
        """Count or return what the store has missed; where it still does not answer, it stays late."""
        self._late.remove(reservation)
        if reservation.is_sent:
            reservation.has_left = True  # no error now: it has been served
            await self.send(reservation)
        else:
            await self.release(reservation)

    async def read_all(self) -> Accounts | None:
        """All accounts as they are now; None where the store does not answer."""

        def work(found: Accounts, now: int) -> tuple[Accounts, Accounts]:
            return {name: one.at(now) for name, one in found.items()}, {}

        return await self._change([*self._quotas.values()], work)

    def _show(self, changed: Accounts) -> None:
        """Show accounts soon: many attempts at a time change the same ones."""
        if not self._unshown:
            asyncio.get_running_loop().call_later(SHOW_SECONDS, self.show, context=Context())
        self._unshown |= changed

    def show(self) -> None:
        """Show what has changed."""
        changed, self._unshown = self._unshown, {}
        at = self._clock()
        for name, account in changed.items():
            quota = self._quotas[name]
            for use, window in _counted(quota, at):
                reset = window.calendar.span(at).end - at
                limit = account.limit_of(use)
                self._follower.used(quota.name, use.name, account.total(use.keys), limit, max(0.0, reset))

    def _forecast(self, found: Accounts) -> None:
        at = self._clock()
        for name, account in found.items():
            quota = self._quotas[name]
            for use, window in _counted(quota, at):
                if not window.rolling and window.calendar.per in LONG:
                    used, limit = account.total(use.keys), account.limit_of(use)
                    self._follower.runs_out(quota.name, use.name, used_up_at(window, used, limit, at))

    # --- the store ---------------------------------------------------------------------------------

    async def _change(
        self, quotas: Sequence[Quota], work: Callable[[Accounts, int], tuple[T, Accounts]]
    ) -> T | None:
        """Change accounts in one step; None where the store does not answer, which is counted."""

        def restoring(found: Accounts, now: int) -> tuple[tuple[T, Accounts], Accounts]:
            answer, changed = work({name: self._restored(name, one) for name, one in found.items()}, now)
            return (answer, changed), changed

        if time.monotonic() < self._paused_until:
            return None
        try:
            change = self._store.change([one.account for one in quotas], restoring)
            answer, changed = await answered(change, STORE_SECONDS)
        except (StateUnavailable, TimeoutError) as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            self._follower.store_lost(error)
            return None
        self._seen |= changed
        return answer

    def _restored(self, name: str, account: Account) -> Account:
        known = self._seen.get(name)
        if known is None or not account.has_lost(known, self._worker):
            return account
        return account.merged(known, self._worker)


def _counted(quota: Quota, at: Instant) -> Iterator[tuple[Use, Window]]:
    """The windows in which requests are counted, each with what is used of it now."""
    windows = {one.name: one for one in quota.windows}
    for use in quota.uses(0, at):
        yield use, windows[use.name]


def _new(corrections: Corrections, known: Account) -> Corrections:
    """What a worker does not know already: most headers say what it has counted itself."""
    return Corrections(
        {name: one for name, one in corrections.closures.items() if _later(one.until, known, name)},
        {name: one for name, one in corrections.limits.items() if known.takes(name, one)},
        {key: amount for key, amount in corrections.used.items() if amount > known.total([key])},
    )


def _later(until: int, known: Account, name: str) -> bool:
    return name not in known.closed or until > known.closed[name].until


_LEASE: Final = round(LEASE_SECONDS * 1000)
