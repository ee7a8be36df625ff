"""Pools: who is granted a part, who waits, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.state import pool as pools
from litellm_homelab.state.pool import Claim, Claimed, Pool

owners = st.sampled_from([f"o{number}" for number in range(6)])
claims = st.builds(
    Claim,
    st.just("gpu"),
    st.just(2),
    st.integers(1, 2),
    rank=st.integers(0, 2),
    length=st.integers(0, 3),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), owners, claims),
        st.tuples(st.just("leave"), owners, st.none()),
        st.tuples(st.just("later"), st.none(), st.none()),
    ),
    max_size=40,
)


def ask(pool: Pool, owner: str, claim: Claim, now: int = 0) -> tuple[Claimed, Pool]:
    """One claim on one pool, for a second."""
    answer, changed = pools.ask({"gpu": pool}, [claim], owner, now, now + 1000)
    return answer, changed["gpu"]


@given(steps)
def test_never_more_than_the_limit_is_held(todo: list[tuple[str, str, Claim]]) -> None:
    """Whatever happens in whatever order, what is held fits, and nobody both holds and waits."""
    pool, now = Pool(), 0
    for what, owner, claim in todo:
        if what == "ask":
            _, pool = ask(pool, owner, claim, now)
        elif what == "leave":
            pool = pool.without(owner)
        else:
            now += 600
        assert pool.at(now).used <= 2
        assert not pool.held.keys() & pool.waiting.keys()
        assert len(pool.waiting) <= 3


@given(st.lists(st.integers(0, 2), min_size=1, max_size=8), st.randoms())
def test_who_waits_is_served_by_rank_and_then_by_arrival(ranks: list[int], shuffled: object) -> None:
    """Everyone asks again and again in any order; they are granted by rank, within a rank by arrival."""
    _, pool = ask(Pool(), "first", Claim("gpu", 1))
    waiting = {f"w{number}": rank for number, rank in enumerate(ranks)}
    for owner, rank in waiting.items():
        answer, pool = ask(pool, owner, Claim("gpu", 1, rank=rank, length=9))
        assert answer is Claimed.WAITING
    holder, served = "first", []
    while waiting:
        pool = pool.without(holder)
        order = list(waiting)
        shuffled.shuffle(order)  # type: ignore[attr-defined]
        for owner in order:
            answer, pool = ask(pool, owner, Claim("gpu", 1, rank=waiting[owner], length=9))
            if answer is Claimed.GRANTED:
                holder = owner
        served.append((waiting.pop(holder), int(holder[1:])))
    assert served == sorted(served)


def test_a_full_queue_takes_nobody_and_forgets_nobody() -> None:
    """Who comes when as many wait as may is turned down; those who wait keep their places."""
    _, pool = ask(Pool(), "holder", Claim("gpu", 1))
    _, pool = ask(pool, "waits", Claim("gpu", 1, length=1))
    answer, pool = ask(pool, "late", Claim("gpu", 1, length=1))
    assert answer is Claimed.FULL
    assert list(pool.waiting) == ["waits"]
    assert ask(pool, "waits", Claim("gpu", 1, length=1))[0] is Claimed.WAITING


def test_what_has_expired_is_free() -> None:
    """A lease that nobody renews is given to the next who asks; a renewed one is not."""
    _, pool = ask(Pool(), "dead", Claim("gpu", 1))
    assert ask(pool.renew(["dead"], 2000), "next", Claim("gpu", 1), now=1500)[0] is Claimed.FULL
    assert ask(pool, "next", Claim("gpu", 1), now=1500)[0] is Claimed.GRANTED


def test_a_wait_that_nobody_renews_ends() -> None:
    """A waiter whose process has died does not hold up those behind it."""
    _, pool = ask(Pool(), "dead", Claim("gpu", 1))
    _, pool = ask(pool, "dead too", Claim("gpu", 1, length=5))
    assert ask(pool, "next", Claim("gpu", 1, length=5), now=1500)[0] is Claimed.GRANTED


def test_several_pools_are_taken_together_or_not_at_all() -> None:
    """Where one of the pools has no room, nothing is taken of the others."""
    known = {"a": Pool(), "b": Pool()}
    _, changed = pools.ask(known, [Claim("b", 1)], "one", 0, 1000)
    known |= changed
    answer, changed = pools.ask(known, [Claim("a", 1), Claim("b", 1)], "two", 0, 1000)
    assert answer is Claimed.FULL
    assert changed["a"].used == 0


@given(steps)
def test_a_pool_is_read_as_it_was_written(todo: list[tuple[str, str, Claim]]) -> None:
    """What is kept as text is the same pool again."""
    pool = Pool()
    for what, owner, claim in todo:
        if what == "ask":
            _, pool = ask(pool, owner, claim)
    assert pools.read(pools.written(pool)) == pool


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "nothing",
        "[" * 100_000,
        '{"held": {"a": 1}, "waiting": {}, "ticket": 0}',
        '{"held": {"a": [Infinity]}, "waiting": {}, "ticket": 0}',
    ],
    ids=range(6),
)
def test_a_text_of_somebody_else_is_an_error(text: str) -> None:
    """A row that this store did not write raises ValueError, which every store reports as damaged."""
    with pytest.raises(ValueError, match=r"not a pool|Expecting"):
        pools.read(text)
