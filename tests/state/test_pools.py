"""Pools over every store: the same answers as the plain pool, and exact among processes."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from litellm_homelab.state import Claim, Claimed, Location, Pool, Store, connect
from litellm_homelab.state import pool as pools
from tests.state.backends import PROCESS_SHARED
from tests.state.workers import hold_slots, in_processes

owners = st.sampled_from([f"o{number}" for number in range(6)])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("lease"), owners, st.integers(1, 2), st.integers(0, 2), st.integers(0, 3)),
        st.tuples(st.just("release"), owners, st.just(0), st.just(0), st.just(0)),
        st.tuples(st.just("renew"), owners, st.just(0), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@pytest.fixture
def name() -> str:
    """A pool that no other test uses: Redis is shared by the session."""
    return uuid.uuid4().hex


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(todo=steps)
async def test_every_store_answers_as_the_plain_pool(
    location: Location, todo: list[tuple[str, str, int, int, int]]
) -> None:
    """Each step of any sequence has the answer of `pool.ask`, and leaves the same holders and waiters."""
    store, names = connect(location), (uuid.uuid4().hex, uuid.uuid4().hex)
    model = dict.fromkeys(names, Pool())
    for what, owner, amount, rank, length in todo:
        if what == "lease":
            claims = [Claim(names[0], 3, amount, rank, length), Claim(names[1], 2, 1, rank, length)]
            expected, changed = pools.ask(model, claims, owner, 0, 60_000)
            model |= changed
            assert await store.lease(claims, owner, 60) is expected
        elif what == "release":
            model = {one: model[one].without(owner) for one in names}
            await store.release(names, owner)
        else:
            await store.renew(names, [owner], 60)
        for one in names:
            found = await store.pool(one)
            assert {**found.held}.keys() == {**model[one].held}.keys()
            assert {who: (had.rank, had.amount) for who, had in found.waiting.items()} == {
                who: (had.rank, had.amount) for who, had in model[one].waiting.items()
            }
            order = sorted(found.waiting, key=lambda who: found.waiting[who].ticket)
            assert order == sorted(model[one].waiting, key=lambda who: model[one].waiting[who].ticket)
    await store.close()


async def test_a_lease_expires(store: Store, name: str) -> None:
    """What nobody renews is free after its time, and what is renewed is not."""
    assert await store.lease([Claim(name, 1)], "dead", 0.3) is Claimed.GRANTED
    assert await store.lease([Claim(name, 1)], "next", 60) is Claimed.FULL
    for _ in range(3):
        await asyncio.sleep(0.15)
        await store.renew([name], ["dead"], 0.6)
    assert await store.lease([Claim(name, 1)], "next", 60) is Claimed.FULL
    await asyncio.sleep(0.75)
    assert await store.lease([Claim(name, 1)], "next", 60) is Claimed.GRANTED
    assert [*(await store.pool(name)).held] == ["next"]


@pytest.mark.parametrize("location", PROCESS_SHARED, indirect=True)
def test_processes_share_the_slots(location: Location) -> None:
    """Four processes with eight tasks each hold two slots: never three at a time, and everyone is served."""
    spans = [span for found in in_processes(4, hold_slots, location) for span in found]
    assert len(spans) == 4 * 8
    changes = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    held = most = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    assert most == 2
