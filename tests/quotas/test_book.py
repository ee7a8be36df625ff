"""What one worker keeps of quotas: over resets, with clocks that step, and with stores that fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.config.sections import QuotaSection
from litellm_homelab.quotas.book import Book, Exceeded, Reservation, StoreSilent
from litellm_homelab.quotas.learning import Answered
from litellm_homelab.quotas.rule import Quota, Quotas
from litellm_homelab.state import Location, Store, connect
from litellm_homelab.state.memory import MemoryStore
from tests.quotas import shapes
from tests.state.backends import location, redis_url, store

__all__ = ["location", "redis_url", "store"]

EVENING = datetime(2026, 11, 26, 23, 30, tzinfo=UTC).timestamp()
HOUR = 3600
DAY = {"requests": 2, "per": "day"}


@dataclass
class Seen:
    """What a book says of itself."""

    shown: dict[str, tuple[int, int | None, float]] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    losses: int = 0
    ends: dict[str, float | None] = field(default_factory=dict)

    def used(self, quota: str, window: str, used: int, limit: int | None, reset_seconds: float) -> None:
        self.shown[window] = used, limit, reset_seconds

    def runs_out(self, quota: str, window: str, at: float | None) -> None:
        self.ends[window] = at

    def learned(self, quota: str, source: str) -> None:
        self.sources.append(source)

    def store_lost(self, error: Exception) -> None:
        self.losses += 1


class Worker:
    """A book with a clock that a test sets."""

    def __init__(self, of: Store, name: str = "q", **section: Any) -> None:
        section = {"groups": ["main"], "windows": [DAY], **section}
        self.quotas: Sequence[Quota] = Quotas({name: QuotaSection.model_validate(section)}).all
        self.now, self.seen = EVENING, Seen()
        self.book = Book(self.quotas, of, self.seen, lambda: self.now)

    async def once(self) -> bool:
        """Reserve and send one request; whether it may."""
        try:
            found = await self.book.reserve(self.quotas, "main", 0)
        except (Exceeded, StoreSilent):
            return False
        return found is None or await found.send()

    async def sends(self, way: object = "http") -> bool:
        """Plan one request, or reserve it where that must come first, and send it; whether it may."""
        try:
            found = self.book.plan(self.quotas, "main", 0, way)
            found = found or await self.book.reserve(self.quotas, "main", 0, way)
        except (Exceeded, StoreSilent):
            return False
        return found is None or await found.send()

    async def reserved(self) -> Reservation:
        """A reservation that is not sent."""
        found = await self.book.reserve(self.quotas, "main", 0)
        assert found is not None
        return found

    async def hears(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Learn from an answer."""
        pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
        await self.book.learn(self.book.read(self.quotas, Answered(status, pairs, body), "main"))


async def test_a_day_begins_anew_at_its_reset(store: Store, tmp_path: Path) -> None:
    """Used up in the evening, whole again after midnight; in every store."""
    worker = Worker(store, tmp_path.name)
    assert [await worker.once() for _ in range(3)] == [True, True, False]
    worker.now += HOUR
    assert [await worker.once() for _ in range(3)] == [True, True, False]


async def test_a_clock_that_steps_gets_no_second_day() -> None:
    """Back before midnight the old day is still used up, and forward the new one is what it was."""
    worker = Worker(MemoryStore())
    assert [await worker.once() for _ in range(3)] == [True, True, False]
    worker.now += 5 * HOUR
    assert await worker.once()
    worker.now -= 5 * HOUR
    assert not await worker.once()
    worker.now += 9 * HOUR
    assert [await worker.once() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("step", [-6 * HOUR, -HOUR])
async def test_a_closure_does_not_outlast_a_clock_that_goes_back(step: int) -> None:
    """What closed a minute at a wrong time does not close the hours before it."""
    worker = Worker(MemoryStore(), windows=[{"requests": 99, "per": "day"}])
    await worker.hears(429, shapes.groq("requests per minute (RPM)", 30, 30, 1, "30s"))
    assert not await worker.once()
    worker.now += step
    assert await worker.once()


async def test_a_request_that_waits_over_the_reset_counts_in_the_new_day() -> None:
    """It was reserved before midnight and leaves after it."""
    worker = Worker(MemoryStore())
    found = await worker.reserved()
    worker.now += HOUR
    assert await found.send()
    assert [await worker.once() for _ in range(2)] == [True, False]


async def test_what_a_sync_client_sent_is_counted_when_it_ends() -> None:
    """It is not returned as one that was never sent."""
    worker = Worker(MemoryStore())
    for _ in range(2):
        found = await worker.reserved()
        found.has_left = True
        await found.release()
    assert not await worker.once()


async def test_a_reservation_lasts_while_its_request_waits() -> None:
    """Five minutes in a queue, looked at every 15 s: nothing else takes its place, and it may still leave."""
    found = Ticking()
    worker = Worker(found, windows=[{"requests": 1, "per": "day"}])
    waits = await worker.reserved()
    for _ in range(20):
        found.now += 15_000
        await worker.book.look()
        assert not await worker.once()
    assert await waits.send()
    found.now += 120_000
    assert not await worker.once()


async def test_a_reservation_ends_with_its_worker() -> None:
    """What looks no more gives its place back after a minute."""
    found = Ticking()
    killed, other = Worker(found), Worker(found)
    waits = [await killed.reserved() for _ in range(2)]
    found.now += 59_000
    await other.book.look()
    assert not await other.once()
    found.now += 2_000
    assert await other.once()
    assert len(waits) == 2


async def test_what_was_not_sent_is_returned() -> None:
    """Once, however often it is released."""
    worker = Worker(MemoryStore())
    found = [await worker.reserved() for _ in range(2)]
    assert not await worker.once()
    await found[0].release()
    await found[0].release()
    assert [await worker.once() for _ in range(2)] == [True, False]


async def test_what_was_learned_is_for_all_workers(location: Location, tmp_path: Path) -> None:
    """A worker that starts later knows what closed the day, and shows where it is from."""
    first = Worker(connect(location), tmp_path.name)
    await first.hears(429, shapes.cloudflare(3036))
    assert first.seen.sources == ["body"]
    if location.kind != "memory":
        assert not await Worker(connect(location), tmp_path.name).once()
    assert not await first.once()
    first.now += HOUR
    assert await first.once()


async def test_unknown_shapes_are_counted_and_change_nothing() -> None:
    """The attempt after one goes on."""
    worker = Worker(MemoryStore())
    await worker.hears(429, b'{"error": {"message": "no more"}}')
    assert worker.seen.sources == ["unknown"]
    assert await worker.once()


async def test_learn_false_learns_nothing() -> None:
    """The operator's counts are all there is."""
    worker = Worker(MemoryStore(), learn=False)
    await worker.hears(429, shapes.cloudflare(3036))
    assert (worker.seen.sources, await worker.once()) == ([], True)


@pytest.mark.parametrize(("choice", "leaves"), [("refuse", False), ("serve", True)])
async def test_a_store_that_fails_before_a_request_leaves(
    choice: str, leaves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `refuse` it does not leave, and its place is free again; with `serve` it counts once it can."""
    monkeypatch.setattr("litellm_homelab.quotas.book.PAUSE_SECONDS", 0)
    failing = Fails()
    worker = Worker(failing, on_state_loss=choice)
    found = await worker.reserved()
    failing.fails = True
    if leaves:
        assert await found.send()
    else:
        with pytest.raises(StoreSilent):
            await found.send()
    failing.fails = False
    await found.release()
    await worker.book.look()
    assert [await worker.once() for _ in range(3)] == [True, not leaves, False]


@pytest.mark.parametrize(
    ("tokens", "failed", "used"),
    [(30, False, (1, 30)), (None, False, (1, 50)), (None, True, (0, 0))],
    ids=["tokens", "no word of tokens", "failed"],
)
async def test_what_the_store_missed_is_counted_once(
    tokens: int | None, failed: bool, used: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that left while the store did not answer, and ended when it did: settled by its own usage."""
    monkeypatch.setattr("litellm_homelab.quotas.book.PAUSE_SECONDS", 0)
    failing = Fails()
    windows = [{"requests": 9, "per": "day"}, {"tokens": 900, "per": "day"}]
    worker = Worker(failing, windows=windows, on_state_loss="serve", counts="successes")
    found = await worker.book.reserve(worker.quotas, "main", 50)
    assert found is not None
    failing.fails = True
    assert await found.send()
    failing.fails = False
    await found.settle(tokens, failed=failed)
    for _ in range(2):
        await worker.book.look()
    assert (worker.seen.shown["requests/day"][0], worker.seen.shown["tokens/day"][0]) == used


async def test_what_the_store_misses_to_its_end_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It did not answer when the request left, nor when it ended: the estimate counts, once."""
    monkeypatch.setattr("litellm_homelab.quotas.book.PAUSE_SECONDS", 0)
    failing = Fails()
    worker = Worker(failing, windows=[{"tokens": 900, "per": "day"}], on_state_loss="serve")
    found = await worker.book.reserve(worker.quotas, "main", 50)
    assert found is not None
    failing.fails = True
    assert await found.send()
    await found.settle(30)
    await worker.book.look()
    failing.fails = False
    for _ in range(3):
        await worker.book.look()
    assert worker.seen.shown["tokens/day"][0] == 50


async def test_what_ends_while_the_store_fails_is_returned_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the next look, not with the end of its lease."""
    monkeypatch.setattr("litellm_homelab.quotas.book.PAUSE_SECONDS", 0)
    failing = Fails()
    worker = Worker(failing)
    found = [await worker.reserved() for _ in range(2)]
    failing.fails = True
    await found[0].release()
    failing.fails = False
    assert not await worker.once()
    await worker.book.look()
    assert [await worker.once() for _ in range(2)] == [True, False]


class Ticking(MemoryStore):
    """A store whose own clock a test sets, in milliseconds."""

    now = 1_000_000

    async def change(self, names: Any, change: Any) -> Any:
        """Change accounts at its own time."""
        return await super().change(names, lambda found, _: change(found, self.now))


class Fails(MemoryStore):
    """A store that does not answer while a test wants it so."""

    fails = False

    async def change(self, names: Any, change: Any) -> Any:
        """Change accounts, or fail."""
        if self.fails:
            raise TimeoutError
        return await super().change(names, change)


@pytest.mark.parametrize(("choice", "served"), [("refuse", False), ("serve", True)])
async def test_a_store_that_fails(choice: str, served: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting decides, it is counted, and once the store answers the counts go on."""
    monkeypatch.setattr("litellm_homelab.quotas.book.PAUSE_SECONDS", 0)
    failing = Fails()
    worker = Worker(failing, on_state_loss=choice)
    assert await worker.once()
    failing.fails = True
    assert await worker.once() == served
    assert worker.seen.losses == 1
    failing.fails = False
    assert [await worker.once() for _ in range(2)] == [True, False]


async def test_an_emptied_store_gets_the_counts_back() -> None:
    """With the next change, since the worker knows what it has counted."""
    found = MemoryStore()
    worker = Worker(found)
    assert await worker.once()
    found._accounts.clear()
    assert [await worker.once() for _ in range(2)] == [True, False]


async def test_what_is_shown() -> None:
    """What is used, the limit, and the seconds until midnight; after it, nothing is used."""
    worker = Worker(MemoryStore())
    await worker.once()
    worker.book.show()
    assert worker.seen.shown == {"requests/day": (1, 2, 1800)}
    worker.now += HOUR
    await worker.book.look()
    assert worker.seen.shown == {"requests/day": (0, 2, 23.5 * HOUR)}


async def test_when_it_runs_out() -> None:
    """9 of 10 at noon are used up at 13:20; the same number half an hour before midnight is enough."""
    worker = Worker(
        MemoryStore(), windows=[{"requests": 10, "per": "day"}, {"requests": 20, "per": "minute"}]
    )
    worker.now -= 11.5 * HOUR
    for _ in range(9):
        await worker.once()
    await worker.book.look()
    assert worker.seen.ends == {"requests/day": worker.now + 12 * HOUR / 9}
    worker.now += 11.5 * HOUR
    await worker.book.look()
    assert worker.seen.ends == {"requests/day": None}


class Counted(MemoryStore):
    """A store that counts its changes."""

    changes = 0

    async def change(self, names: Any, change: Any) -> Any:
        """Change accounts, and count that."""
        self.changes += 1
        return await super().change(names, change)


async def test_from_the_second_request_on_it_is_one_step_in_the_store() -> None:
    """The first one has shown that requests of its way pass `send`; another way is not known yet."""
    found = Counted()
    worker = Worker(found, windows=[{"requests": 9, "per": "day"}])
    steps = []
    for way in ("http", "http", "http", "other", "other"):
        before = found.changes
        assert await worker.sends(way)
        steps.append(found.changes - before)
    assert steps == [2, 1, 1, 2, 1]


async def test_planned_requests_are_as_exact_as_reserved_ones(store: Store, tmp_path: Path) -> None:
    """Two workers that each know of room for the last one: one of them may send it, and learns why not."""
    workers = [Worker(store, tmp_path.name, windows=[{"requests": 5, "per": "day"}]) for _ in range(2)]
    for worker in (*workers, *workers):
        assert await worker.sends()
    plans = [worker.book.plan(worker.quotas, "main", 0, "http") for worker in workers]
    first, second = (one for one in plans if one is not None)
    assert [await first.send(), await second.send()] == [True, False]
    assert second.why is not None
    assert (second.why.limit, second.why.until) == (5, EVENING + HOUR / 2)
    assert workers[1].book.plan(workers[1].quotas, "main", 0, "http") is None


async def test_a_plan_that_is_not_sent_leaves_nothing() -> None:
    """It was not reserved, so nothing is returned."""
    found = Counted()
    worker = Worker(found)
    assert await worker.sends()
    plan, before = worker.book.plan(worker.quotas, "main", 0, "http"), found.changes
    assert plan is not None
    await plan.release()
    await plan.settle(None, failed=True)
    assert found.changes == before
    assert [await worker.sends() for _ in range(2)] == [True, False]


async def test_a_way_past_send_is_reserved_again() -> None:
    """A client that left without `send` is counted at its end, and its way is not planned any more."""
    worker = Worker(MemoryStore(), windows=[{"requests": 9, "per": "day"}])
    assert await worker.sends()
    plan = worker.book.plan(worker.quotas, "main", 0, "http")
    assert plan is not None
    plan.has_left = True
    await plan.release()
    assert worker.book.plan(worker.quotas, "main", 0, "http") is None
    worker.book.show()
    assert worker.seen.shown["requests/day"][0] == 2


async def test_tokens_of_a_plan_are_settled() -> None:
    """It is counted by its estimate when it leaves, and by its usage at its end."""
    worker = Worker(MemoryStore(), windows=[{"tokens": 900, "per": "day"}])
    for tokens in (30, 40):
        found = worker.book.plan(worker.quotas, "main", 50, "http")
        found = found or await worker.book.reserve(worker.quotas, "main", 50, "http")
        assert found is not None
        assert await found.send()
        await found.settle(tokens)
    await worker.book.look()
    assert worker.seen.shown["tokens/day"][0] == 70
