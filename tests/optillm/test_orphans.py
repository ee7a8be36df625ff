"""How many calls of OptiLLM that belong to no request may be under way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.optillm.orphans import REST_SECONDS, Orphans


def test_as_many_as_the_limit_are_let_in() -> None:
    """One more is not."""
    orphans = Orphans(3)
    assert [orphans.enter(0.0) for _ in range(5)] == [True, True, True, False, False]


def test_one_that_has_ended_makes_room() -> None:
    """Below the limit they come and go for ever."""
    orphans = Orphans(1)
    for now in range(100):
        assert orphans.enter(now)
        orphans.leave(now)


@pytest.mark.parametrize(
    ("left", "later", "heard"),
    [
        pytest.param(2, 2 * REST_SECONDS, False, id="one is still under way"),
        pytest.param(3, REST_SECONDS / 2, False, id="all have ended just now"),
        pytest.param(3, REST_SECONDS, True, id="all have ended, and it is quiet"),
    ],
)
def test_after_one_too_many_none_is_let_in_until_it_is_quiet(left: int, later: float, heard: bool) -> None:
    """In a loop each refusal is tried again at every level: all of them must have come down first."""
    orphans = Orphans(3)
    for _ in range(4):
        orphans.enter(0.0)
    for _ in range(left):
        orphans.leave(10.0)
    assert orphans.enter(10.0 + later) is heard


@given(limit=st.integers(1, 5), coming=st.lists(st.booleans(), max_size=60))
def test_never_more_than_the_limit_are_in(limit: int, coming: list[bool]) -> None:
    """Whatever comes and goes."""
    orphans, inside = Orphans(limit), 0
    for now, one in enumerate(coming):
        if one:
            inside += orphans.enter(now)
        elif inside:
            orphans.leave(now)
            inside -= 1
        assert 0 <= inside <= limit


@given(limit=st.integers(1, 6), retries=st.integers(0, 3))
def test_a_loop_that_retries_at_every_level_ends(limit: int, retries: int) -> None:
    """Each call makes the next and repeats it when it is refused: never more than levels times tries."""
    orphans = Orphans(limit)
    calls = 0

    def call() -> bool:
        nonlocal calls
        calls += 1
        if not orphans.enter(0.0):
            return False
        answered = any(call() for _ in range(1 + retries))
        orphans.leave(0.0)
        return answered

    assert not any(call() for _ in range(1 + retries))
    assert calls == (1 + limit) * (1 + retries)
