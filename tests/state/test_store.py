"""Every store keeps the one interface: the same tests over memory, SQLite and Redis."""

from __future__ import annotations

import asyncio
import random
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_homelab.state import Entry, Location, Store, connect
from tests.state.backends import PROCESS_SHARED
from tests.state.workers import create_first, in_processes, take_100

names = st.sampled_from(["a", "b", "c"])
steps = st.one_of(
    st.tuples(st.just("take"), names, names, st.lists(names, max_size=2)),
    st.tuples(st.just("add"), st.dictionaries(names, st.integers(-3, 1_000), max_size=3)),
    st.tuples(st.just("mark"), names, st.text()),
)


@pytest.fixture
def key() -> str:
    """A key that no other test uses: Redis is shared by the session."""
    return uuid.uuid4().hex


async def test_what_was_created_is_read(store: Store, key: str) -> None:
    """An entry comes back with the counters and marks that it was created with."""
    entry = Entry({"limit": 3, "used": 0}, {"handle": "boost"})
    assert await store.create(key, entry, 60)
    assert await store.read(key) == entry


async def test_an_empty_entry_exists(store: Store, key: str) -> None:
    """An entry without counters or marks is there, and counts from 0."""
    await store.create(key, Entry(), 60)
    assert await store.read(key) == Entry()
    assert await store.add(key, {"used": 2}) == Entry({"used": 2})


async def test_created_once(store: Store, key: str) -> None:
    """A second creation of a key changes nothing and says so."""
    await store.create(key, Entry({"used": 1}), 60)
    assert not await store.create(key, Entry({"used": 9}), 60)
    assert await store.read(key) == Entry({"used": 1})


async def test_nothing_revives_what_is_not_there(store: Store, key: str) -> None:
    """On an unknown key every operation answers None, and the key stays unknown."""
    assert await store.take(key, "used", "limit", ()) is None
    assert await store.add(key, {"used": 1}) is None
    assert await store.mark(key, "ended", "") is None
    assert await store.read(key) is None


async def test_take_stops_at_the_limit(store: Store, key: str) -> None:
    """Exactly `limit` are granted; what is not granted changes nothing."""
    await store.create(key, Entry({"limit": 2}), 60)
    taken = [await store.take(key, "used", "limit", ()) for _ in range(4)]
    assert [one and (one.granted, one.entry.count("used")) for one in taken] == [
        (True, 1),
        (True, 2),
        (False, 2),
        (False, 2),
    ]


async def test_take_stops_at_a_mark(store: Store, key: str) -> None:
    """A mark named in `unless` refuses, another mark does not."""
    await store.create(key, Entry({"limit": 9}), 60)
    await store.mark(key, "ended", "now")
    other = await store.take(key, "used", "limit", ("problem",))
    named = await store.take(key, "used", "limit", ("problem", "ended"))
    assert other is not None
    assert other.granted
    assert named is not None
    assert not named.granted
    assert named.entry == Entry({"limit": 9, "used": 1}, {"ended": "now"})


async def test_the_first_text_of_a_mark_stays(store: Store, key: str) -> None:
    """Marking again answers with the text that was first."""
    await store.create(key, Entry(), 60)
    await store.mark(key, "problem", "first")
    assert await store.mark(key, "problem", "second") == Entry({}, {"problem": "first"})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("a:b\n\0 'x' \"y\"", id="punctuation"),
        pytest.param("größer → 模型 🏠", id="other-scripts"),
        pytest.param("\ud800", id="half-a-surrogate"),
    ],
)
async def test_a_mark_holds_any_text(store: Store, key: str, text: str) -> None:
    """Whatever the text of a mark, it is read as it was written."""
    await store.create(key, Entry({}, {"problem": text}), 60)
    assert await store.mark(key, "ended", text) == Entry({}, {"problem": text, "ended": text})
    assert await store.read(key) == Entry({}, {"problem": text, "ended": text})


async def test_several_counters_are_added_at_once(store: Store, key: str) -> None:
    """Amounts are added to known and unknown counters alike."""
    await store.create(key, Entry({"prompt": 1}), 60)
    assert await store.add(key, {"prompt": 10, "completion": 2**40}) == Entry(
        {"prompt": 11, "completion": 2**40}
    )


async def test_an_entry_expires(store: Store, key: str) -> None:
    """After its time to live an entry is unknown, whatever is done with it, and its key is free."""
    await store.create(key, Entry({"limit": 9}), 0.05)
    await store.add(key, {"used": 1})
    await asyncio.sleep(0.08)
    assert await store.take(key, "used", "limit", ()) is None
    assert await store.read(key) is None
    assert await store.create(key, Entry({"limit": 1}), 60)
    assert await store.read(key) == Entry({"limit": 1})


async def test_keep_shortens_a_life(store: Store, key: str) -> None:
    """A mark with `keep` lets the entry live so much longer at most."""
    await store.create(key, Entry(), 60)
    assert await store.mark(key, "ended", "", keep=0.05) == Entry({}, {"ended": ""})
    await asyncio.sleep(0.08)
    assert await store.read(key) is None


async def test_keep_never_lengthens_a_life(store: Store, key: str) -> None:
    """A `keep` beyond the entry's own time to live changes nothing."""
    await store.create(key, Entry(), 0.05)
    await store.mark(key, "ended", "", keep=60)
    await asyncio.sleep(0.08)
    assert await store.read(key) is None


async def test_interleaved_tasks_are_exact(store: Store, key: str) -> None:
    """Of 300 tasks that ask at once, in any order, exactly the limit is granted, each with its own number."""
    await store.create(key, Entry({"limit": 70}), 60)

    async def ask() -> int | None:
        await asyncio.sleep(random.random() / 100)
        taken = await store.take(key, "used", "limit", ())
        return taken.entry.count("used") if taken is not None and taken.granted else None

    granted = [number for number in await asyncio.gather(*(ask() for _ in range(300))) if number is not None]
    assert sorted(granted) == list(range(1, 71))


async def test_a_closed_store_opens_again(store: Store, key: str) -> None:
    """Closing lets go of the connections only: the next operation finds the entries again."""
    await store.create(key, Entry({"used": 1}), 60)
    await store.close()
    assert await store.read(key) == Entry({"used": 1})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=st.lists(steps, max_size=12))
def test_every_store_does_what_the_entry_does(location: Location, program: list[tuple[object, ...]]) -> None:
    """Any sequence of changes leaves the store's entry as the same sequence on a plain `Entry` does."""
    asyncio.run(_compare(connect(location), program))


async def _compare(store: Store, program: list[tuple[object, ...]]) -> None:
    key, entry = uuid.uuid4().hex, Entry({"a": 2, "b": 1})
    await store.create(key, entry, 60)
    for operation, *arguments in program:
        answer = await getattr(store, str(operation))(key, *arguments)
        expected = getattr(entry, str(operation))(*arguments)
        assert answer == expected
        entry = expected.entry if operation == "take" else expected
    assert await store.read(key) == entry
    await store.close()


@pytest.mark.parametrize("location", PROCESS_SHARED, indirect=True)
async def test_processes_are_exact_together(location: Location, store: Store) -> None:
    """Of four processes with ten tasks each, exactly the limit is granted, and no number twice."""
    await store.create("shared", Entry({"limit": 333}), 60)
    await store.close()
    granted = await asyncio.to_thread(in_processes, 4, take_100, location)
    assert sorted(number for numbers in granted for number in numbers) == list(range(1, 334))


@pytest.mark.parametrize("location", PROCESS_SHARED, indirect=True)
def test_processes_may_come_first_together(location: Location) -> None:
    """Four workers that open a new store at the same moment get along, and one of them creates the entry."""
    assert sorted(in_processes(4, create_first, location)) == [False, False, False, True]
