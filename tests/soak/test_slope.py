"""The arithmetic of the soak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.soak.slope import PER, Sample, above, over, slope, slopes

small = st.integers(-1000, 1000)


@given(small, small, st.sets(st.integers(0, 10_000), min_size=2, max_size=20))
def test_a_line_has_its_slope(rise: int, start: int, places: set[int]) -> None:
    """Whatever points of it were seen."""
    assert slope([(x, rise * x + start) for x in places]) == pytest.approx(rise, abs=1e-6)


def test_noise_around_a_level_has_none() -> None:
    """As much above as below, early and late."""
    assert slope([(x, 10 + (1, -1, -1, 1)[x % 4]) for x in range(8)]) == pytest.approx(0)


@pytest.mark.parametrize("points", [[], [(1.0, 1.0)], [(1.0, 1.0), (1.0, 2.0)]], ids=["none", "one", "above"])
def test_one_place_has_no_slope(points: list[tuple[float, float]]) -> None:
    """Nothing is said of what was seen once."""
    with pytest.raises(ValueError, match="two different points"):
        slope(points)


def test_the_warm_up_is_left_out() -> None:
    """What is loaded at first use is no growth."""
    samples = [Sample(at, 100 * at, {"memory": 5.0 * at if at < 5 else 100.0}) for at in range(10)]
    assert slopes(samples, 5) == {"memory": pytest.approx(0)}
    assert slopes(samples, 0)["memory"] > 0


def test_what_grows_too_fast_is_named() -> None:
    """With how much, and how much it may."""
    assert above({"rows": 0.9, "memory": 2.0, "other": 9.0}, {"rows": 1.0, "memory": 1.5}) == [
        f"memory: +2.00 in {PER} requests, at most +1.50"
    ]


def test_stocks_growth_is_not_ours() -> None:
    """Of the values that both have, what ours has more."""
    more = over({"memory": 5.0, "rows": 1.0}, {"memory": 4.0, "series": 2.0})
    assert more == {"memory": 1.0}
    assert above(more, {"memory": 0.5}, "more than stock") == [
        f"memory: +1.00 more than stock in {PER} requests, at most +0.50"
    ]
