"""The fan-out ledger: the same promises over memory, SQLite and Redis, whatever the interleaving."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.optillm import lineage
from litellm_homelab.optillm.fanout import (
    Admitted,
    Ended,
    Looped,
    RootFailure,
    RootRecord,
    Spent,
    Summary,
    Unknown,
    Usage,
)
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.state import Entry, Location, StateUnavailable, Store, Taken, connect
from litellm_homelab.state.memory import MemoryStore
from tests.optillm.children import ROOT_ID, ask_60
from tests.state.backends import PROCESS_SHARED
from tests.state.workers import in_processes

pytest_plugins = ["tests.state.backends"]

PATH = "boost -> OptiLLM -> boost"
INTERLEAVED_CHILDREN = 12


def new_root(max_calls: int = 3, seconds: float = 60.0) -> RootRecord:
    """Return a root that is opened now."""
    now = time.time()
    return RootRecord(lineage.new_root(), "boost", "moa", max_calls, now, now + seconds)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    """A ledger over each of the stores."""
    return Ledger(store)


async def test_a_root_is_followed_from_open_to_end(ledger: Ledger) -> None:
    """Children are numbered, their usage is summed, and the end answers what it all came to."""
    root = new_root()
    assert await ledger.open(root)
    assert await ledger.admit(root.id) == Admitted(1, root)
    assert await ledger.admit(root.id) == Admitted(2, root)
    await ledger.finish(root.id, Usage(10, 5, 0.25))
    assert await ledger.read(root.id) == Summary(root, 2, 1, Usage(10, 5, 0.25), None, ended=False)
    await ledger.finish(root.id, Usage(1, 2, 0.5))
    summary = await ledger.end(root.id)
    assert summary == Summary(root, 2, 2, Usage(11, 7, 0.75), None, ended=True)
    assert summary is not None
    assert summary.usage.total_tokens == 18


async def test_a_root_is_opened_once(ledger: Ledger) -> None:
    """Opening the same id again changes nothing and says so."""
    root = new_root()
    await ledger.open(root)
    assert not await ledger.open(replace(root, max_calls=99))
    summary = await ledger.read(root.id)
    assert summary is not None
    assert summary.root == root


async def test_the_child_too_many_is_refused_and_remembered(ledger: Ledger) -> None:
    """Child max+1 is refused, again and again, and the root is marked spent."""
    root = new_root(max_calls=2)
    await ledger.open(root)
    answers = [await ledger.admit(root.id) for _ in range(4)]
    assert answers == [Admitted(1, root), Admitted(2, root), Spent(2), Spent(2)]
    assert await ledger.read(root.id) == Summary(root, 2, 0, Usage(), RootFailure("spent", "2"), ended=False)


async def test_a_root_at_its_limit_has_no_problem(ledger: Ledger) -> None:
    """Using up exactly what was allowed is not yet spent: no child was refused."""
    root = new_root(max_calls=1)
    await ledger.open(root)
    await ledger.admit(root.id)
    summary = await ledger.end(root.id)
    assert summary is not None
    assert summary.problem is None


async def test_a_looped_root_admits_nobody(ledger: Ledger) -> None:
    """After the first re-entry every child is refused with the path, which its root's answer can tell."""
    root = new_root()
    await ledger.open(root)
    await ledger.loop(root.id, PATH)
    assert await ledger.admit(root.id) == Looped(PATH)
    summary = await ledger.end(root.id)
    assert summary is not None
    assert summary.problem == RootFailure("looped", PATH)


async def test_a_root_whose_client_left_admits_nobody(ledger: Ledger) -> None:
    """Children of a client that has gone are refused instead of keeping the backend busy."""
    root = new_root()
    await ledger.open(root)
    await ledger.leave(root.id)
    assert await ledger.admit(root.id) == Ended()


async def test_the_first_problem_is_told(ledger: Ledger) -> None:
    """Of several problems the first one is kept: the later ones follow from it."""
    root = new_root(max_calls=0)
    await ledger.open(root)
    assert await ledger.admit(root.id) == Spent(0)
    await ledger.loop(root.id, PATH)
    await ledger.leave(root.id)
    summary = await ledger.read(root.id)
    assert summary is not None
    assert summary.problem == RootFailure("spent", "0")


async def test_an_ended_root_admits_nobody_and_still_books(ledger: Ledger) -> None:
    """A replayed child is refused; one that was under way when its root ended is still counted."""
    root = new_root()
    await ledger.open(root)
    await ledger.admit(root.id)
    await ledger.end(root.id)
    assert await ledger.admit(root.id) == Ended()
    await ledger.finish(root.id, Usage(3, 4, 0.5))
    assert await ledger.end(root.id) == Summary(root, 1, 1, Usage(3, 4, 0.5), None, ended=True)


async def test_a_root_that_never_was_is_unknown(ledger: Ledger) -> None:
    """Nothing is admitted to, booked on, or brought into being for a root that was not opened."""
    root_id = lineage.new_root()
    assert await ledger.admit(root_id) == Unknown()
    await ledger.finish(root_id, Usage(1, 1, 1.0))
    await ledger.loop(root_id, PATH)
    await ledger.leave(root_id)
    assert await ledger.end(root_id) is None
    assert await ledger.read(root_id) is None


async def test_a_root_past_its_deadline_is_unknown(ledger: Ledger) -> None:
    """After the deadline a root is forgotten, and its children are refused."""
    root = new_root(seconds=0.05)
    await ledger.open(root)
    await asyncio.sleep(0.08)
    assert await ledger.admit(root.id) == Unknown()
    assert await ledger.read(root.id) is None


@pytest.mark.parametrize("stop", [Ledger.end, Ledger.leave], ids=["ended", "left"])
async def test_a_root_that_is_over_is_soon_forgotten(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, stop: Callable[[Ledger, str], Awaitable[object]]
) -> None:
    """It is remembered for the linger time only, not until its deadline; then its children are unknown."""
    monkeypatch.setattr("litellm_homelab.optillm.ledger.LINGER_SECONDS", 0.05)
    root = new_root()
    await ledger.open(root)
    await stop(ledger, root.id)
    assert await ledger.admit(root.id) == Ended()
    await asyncio.sleep(0.08)
    assert await ledger.admit(root.id) == Unknown()


async def test_roots_do_not_mix(ledger: Ledger) -> None:
    """With 100 roots at once every child and token is booked on its own root."""
    roots = [new_root(max_calls=number % 7) for number in range(100)]

    async def run(number: int, root: RootRecord) -> Summary | None:
        await ledger.open(root)
        for _ in range(5):
            if isinstance(await ledger.admit(root.id), Admitted):
                await ledger.finish(root.id, Usage(number, 1, 0.0))
        return await ledger.end(root.id)

    summaries = await asyncio.gather(*(run(number, root) for number, root in enumerate(roots)))
    for number, (root, summary) in enumerate(zip(roots, summaries, strict=True)):
        children = min(5, number % 7)
        problem = RootFailure("spent", str(root.max_calls)) if root.max_calls < 5 else None
        usage = Usage(number * children, children)
        assert summary == Summary(root, children, children, usage, problem, ended=True)


@pytest.mark.parametrize("location", PROCESS_SHARED, indirect=True)
async def test_processes_are_exact_together(location: Location, store: Store) -> None:
    """Four workers with 60 children each: exactly max_calls are admitted, and every token is booked once."""
    ledger = Ledger(store)
    root = replace(new_root(max_calls=150), id=ROOT_ID)
    await ledger.open(root)
    numbers = await asyncio.to_thread(in_processes, 4, ask_60, location)
    assert sorted(number for worker in numbers for number in worker) == list(range(1, 151))
    expected = Usage(sum(range(1, 151)), 150, 0.15)
    assert await ledger.end(root.id) == Summary(
        root, 150, 150, expected, RootFailure("spent", "150"), ended=True
    )


class YieldingStore(MemoryStore):
    """A memory store that lets other tasks run before and after every operation, so often as it was told."""

    def __init__(self, yields: list[int]) -> None:
        super().__init__()
        self._yields = cycle(yields)

    async def _yield(self) -> None:
        for _ in range(next(self._yields)):
            await asyncio.sleep(0)

    async def take(self, key: str, counter: str, limit: str, unless: Collection[str]) -> Taken | None:
        """Yield, take, yield."""
        await self._yield()
        taken = await super().take(key, counter, limit, unless)
        await self._yield()
        return taken

    async def add(self, key: str, amounts: Mapping[str, int]) -> Entry | None:
        """Yield, add."""
        await self._yield()
        return await super().add(key, amounts)

    async def mark(self, key: str, name: str, text: str, keep: float | None = None) -> Entry | None:
        """Yield, mark, yield."""
        await self._yield()
        marked = await super().mark(key, name, text, keep)
        await self._yield()
        return marked


@given(
    yields=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    max_calls=st.integers(0, INTERLEAVED_CHILDREN),
    stop=st.sampled_from(["loop", "leave", "end", None]),
    stop_after=st.integers(0, 20),
)
def test_any_interleaving_keeps_the_promises(
    yields: list[int], max_calls: int, stop: str | None, stop_after: int
) -> None:
    """However tasks interleave: never more than max_calls, none after a stop, and only the admitted book."""
    asyncio.run(_interleave(Ledger(YieldingStore(yields)), new_root(max_calls), stop, stop_after))


async def _interleave(ledger: Ledger, root: RootRecord, stop: str | None, stop_after: int) -> None:
    await ledger.open(root)
    children = [asyncio.create_task(_child(ledger, root.id)) for _ in range(INTERLEAVED_CHILDREN)]
    for _ in range(stop_after):
        await asyncio.sleep(0)
    await _stop(ledger, root.id, stop)
    if stop is not None:
        assert not isinstance(await ledger.admit(root.id), Admitted)
    admitted = sum(await asyncio.gather(*children))
    summary = await ledger.end(root.id)
    assert summary is not None
    assert (summary.children, summary.finished, summary.usage.prompt_tokens) == (admitted,) * 3
    assert admitted <= root.max_calls
    assert stop is not None or admitted == min(root.max_calls, INTERLEAVED_CHILDREN)


async def _stop(ledger: Ledger, root_id: str, stop: str | None) -> None:
    if stop == "loop":
        await ledger.loop(root_id, PATH)
    elif stop == "leave":
        await ledger.leave(root_id)
    elif stop == "end":
        await ledger.end(root_id)


async def _child(ledger: Ledger, root_id: str) -> bool:
    admitted = isinstance(await ledger.admit(root_id), Admitted)
    if admitted:
        await ledger.finish(root_id, Usage(1, 0, 0.0))
    return admitted


async def test_a_store_that_is_down_is_told() -> None:
    """Where the counters cannot be read the ledger raises, so that its caller refuses."""
    ledger = Ledger(connect(Location("sqlite", "/nonexistent/folder/state.db")))
    with pytest.raises(StateUnavailable):
        await ledger.admit(lineage.new_root())


async def test_a_flood_of_roots_is_bounded() -> None:
    """Memory takes no more roots than its bound at a time; one more is refused, and the others go on."""
    store = MemoryStore(max_entries=5)
    ledger = Ledger(store)
    roots = [new_root() for _ in range(6)]
    for root in roots[:5]:
        await ledger.open(root)
    with pytest.raises(StateUnavailable, match="all 5 entries are in use"):
        await ledger.open(roots[5])
    assert await ledger.admit(roots[0].id) == Admitted(1, roots[0])
