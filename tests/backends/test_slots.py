"""The slots of a backend: over several workers, with a store and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab import state
from litellm_homelab.backends import slots as module
from litellm_homelab.backends.slots import Full, Gone, Slot, Slots
from litellm_homelab.state import Claim, Store
from litellm_homelab.state.memory import MemoryStore
from litellm_homelab.state.pool import Pool


class Seen:
    """What was shown of the slots."""

    def __init__(self) -> None:
        self.used: list[int] = []
        self.queue: list[int] = []
        self.waits: list[float] = []
        self.lost = 0

    def slots_used(self, backend: str, used: int) -> None:
        """Note the number."""
        self.used.append(used)

    def waiting(self, backend: str, number: int) -> None:
        """Note the number."""
        self.queue.append(number)

    def waited(self, backend: str, rank: int, seconds: float) -> None:
        """Note a wait."""
        self.waits.append(seconds)

    def store_lost(self, error: Exception) -> None:
        """Count it."""
        self.lost += 1


class Lost(MemoryStore):
    """A store that hangs."""

    async def lease(self, *_: object) -> state.Claimed:
        """Never answer."""
        await asyncio.sleep(60)
        raise AssertionError

    async def release(self, *_: object) -> None:
        """Never answer."""
        await asyncio.sleep(60)


def slots(store: Store, limit: int = 1, **changes: object) -> Slots:
    """The slots of one worker."""
    given = {"length": 20, "wait_seconds": 10, "store": store, "workers": 4, "watching": Seen(), **changes}
    return Slots("gpu", limit, **given)  # type: ignore[arg-type]


async def until(store: Store, condition: Callable[[Pool], bool]) -> None:
    """Wait, at most ten seconds, until the store has the pool so."""
    async with asyncio.timeout(10):
        while not condition(await store.pool("slots:gpu")):  # noqa: ASYNC110 - a store sets no event
            await asyncio.sleep(0.005)


async def stays() -> None:
    """A client that does not leave."""
    await asyncio.Event().wait()


@pytest.fixture(params=["memory://", "sqlite:///state.db"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A store that the workers of a test share."""
    found = state.connect(state.parse(request.param, tmp_path))
    yield found
    await found.close()


async def hold(one: Slots, rank: int, served: list[int], number: int) -> None:
    """Take a slot for a moment, and note that it was this one's turn."""
    slot = await one.take(rank, stays)
    served.append(number)
    await asyncio.sleep(0.005)
    slot.release()


async def test_first_come_first_served_over_workers(store: Store) -> None:
    """Requests of four workers are served in the order in which they came, and those of higher rank first."""
    workers = [slots(store) for _ in range(4)]
    first = await workers[0].take(1, stays)
    served: list[int] = []
    tasks = []
    for number in range(12):
        rank = 0 if number in {4, 9} else 1
        tasks.append(asyncio.create_task(hold(workers[number % 4], rank, served, number)))
        await asyncio.sleep(0.01)
    first.release()
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks)
    assert served == [4, 9, 0, 1, 2, 3, 5, 6, 7, 8, 10, 11]


class Overtaking(MemoryStore):
    """A store whose first answers to those who ask side by side come last, as Redis's may."""

    def __init__(self) -> None:
        super().__init__()
        self.late = 0.2

    async def lease(self, claims: Sequence[Claim], owner: str, seconds: float) -> state.Claimed:
        """Answer, the later the earlier the question was."""
        found = await super().lease(claims, owner, seconds)
        self.late = max(0.0, self.late - 0.02)
        await asyncio.sleep(self.late)
        return found


@pytest.mark.parametrize("limit", [1, 2])
async def test_answers_in_another_order_starve_no_request(limit: int) -> None:
    """The order of the store counts: a worker asks for those whom the store would grant a slot next."""
    one, served = slots(Overtaking(), limit), list[int]()
    held = [await one.take(1, stays) for _ in range(limit)]
    tasks = [asyncio.create_task(hold(one, 1, served, number)) for number in range(8)]
    await asyncio.sleep(0.3)
    for slot in held:
        slot.release()
    async with asyncio.timeout(9):
        await asyncio.gather(*tasks)
    assert sorted(served) == [*range(8)]


class Forgetful(MemoryStore):
    """A store that is away when the first slot is given back."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = True

    async def release(self, pools: Collection[str], owner: str) -> None:
        """Fail once."""
        if self.is_away:
            self.is_away = False
            raise state.StateUnavailable("", state.Cause.UNREACHABLE)
        await super().release(pools, owner)


async def test_what_the_store_did_not_take_back_is_given_back_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the slot would be gone for as long as its lease."""
    monkeypatch.setattr(module, "ALONE_SECONDS", 0.2)
    store = Forgetful()
    one, other = slots(store), slots(store)
    (await one.take(1, stays)).release()
    (await other.take(1, stays)).release()  # it waits for less long than a lease lives


async def test_a_full_queue_and_a_wait_that_is_too_long(store: Store) -> None:
    """Who comes too late is turned down without waiting; who waits too long, after the time."""
    seen = Seen()
    one = slots(store, length=1, wait_seconds=0.2, watching=seen)
    slot = await one.take(1, stays)
    waiting = asyncio.create_task(one.take(1, stays))
    await until(store, lambda pool: len(pool.waiting) == 1)
    with pytest.raises(Full) as full:
        await one.take(1, stays)
    assert full.value.waited == 0
    with pytest.raises(Full) as late:
        await waiting
    assert late.value.waited >= 0.2
    assert len(seen.waits) == 1
    slot.release()
    (await one.take(1, stays)).release()


async def test_who_leaves_frees_the_place(store: Store) -> None:
    """A client that leaves, and a request that is cancelled, leave nothing behind."""
    one = slots(store, length=1)
    slot = await one.take(1, stays)
    with pytest.raises(Gone):
        await one.take(1, lambda: asyncio.sleep(0.05))
    await until(store, lambda pool: not pool.waiting)
    cancelled = asyncio.create_task(one.take(1, stays))
    await until(store, lambda pool: len(pool.waiting) == 1)
    cancelled.cancel()
    await until(store, lambda pool: not pool.waiting)
    waiting = asyncio.create_task(one.take(1, stays))
    await until(store, lambda pool: len(pool.waiting) == 1)
    slot.release()
    (await waiting).release()
    await until(store, lambda pool: pool.used == 0)


async def test_without_a_store_each_worker_has_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that hangs costs one request its patience; then the worker serves slots/workers by itself."""
    monkeypatch.setattr(module, "STORE_SECONDS", 0.1)
    seen = Seen()
    one = slots(Lost(), limit=8, watching=seen)
    held = [await one.take(1, stays) for _ in range(2)]
    waiting = asyncio.create_task(one.take(1, stays))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    assert seen.lost == 1
    held[0].release()
    async with asyncio.timeout(2):
        (await waiting).release()
    held[1].release()


async def test_what_runs_is_put_back_into_a_store_that_forgot_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slot whose request is under way counts again after its lease was lost, and is renewed."""
    monkeypatch.setattr(module, "RENEW_SECONDS", 0.05)
    one = slots(store)
    slot = await one.take(1, stays)
    await store.release(["slots:gpu"], slot.owner)
    await until(store, lambda pool: [*pool.held] == [slot.owner])
    slot.release()
    await until(store, lambda pool: pool.used == 0)


steps = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=25)


@settings(max_examples=25, deadline=None)
@given(steps)
async def test_never_more_than_the_limit_and_everyone_is_served(todo: list[tuple[int, int, int]]) -> None:
    """Whatever comes in whatever order, over two workers: at most two at a time, and no slot is lost."""
    store = state.connect(state.Location("memory"))
    workers = [slots(store, 2, length=100) for _ in range(2)]
    held = most = 0

    async def once(worker: Slots, rank: int, kind: int) -> None:
        nonlocal held, most
        try:
            slot: Slot = await worker.take(rank, (lambda: asyncio.sleep(0.003)) if kind == 3 else stays)
        except Gone:
            return
        held += 1
        most = max(most, held)
        await asyncio.sleep(0.001)
        held -= 1
        slot.release()

    async with asyncio.timeout(30):
        await asyncio.gather(*(once(workers[one], rank, kind) for one, rank, kind in todo))
    assert most <= 2
    await asyncio.sleep(0.03)
    pool = await store.pool("slots:gpu")
    assert (pool.used, len(pool.waiting)) == (0, 0)
