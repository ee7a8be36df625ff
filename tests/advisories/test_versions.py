"""Versions of LiteLLM compared."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.advisories.versions import Range, ordered

RISING = (
    "1.9",
    "1.83.9",
    "1.83.10rc1",
    "1.83.10",
    "1.84.0.dev2",
    "1.84",
    "1.106.0",
    "1.106.2",
    "2.0.0a1",
    "2",
)


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(RISING)))
def test_later_versions_compare_as_later(lower: str, higher: str) -> None:
    """Numbers are compared as numbers, and a release candidate comes before its release."""
    first, second = ordered(lower), ordered(higher)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.84", "1.84.0"),
        ("v1.84.0", "1.84.0"),
        ("1.84.0.post3", "1.84.0"),
        ("1.83.10-stable", "1.83.10"),
        ("1.84.0+local", "1.84.0"),
        (" 1.84.0\n", "1.84.0"),
    ],
)
def test_other_spellings_of_a_release_are_that_release(one: str, other: str) -> None:
    """Trailing zeros, a `v`, post-releases and local labels change nothing."""
    assert ordered(one) == ordered(other) is not None


@pytest.mark.parametrize("text", ["", "main", "rc1", "stable-1.84", "-1.0"])
def test_what_is_not_a_version_is_none(text: str) -> None:
    """A build without a number cannot be compared."""
    assert ordered(text) is None


@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=4),
    st.lists(st.integers(0, 300), min_size=1, max_size=4),
)
def test_order_is_the_order_of_the_numbers(one: list[int], other: list[int]) -> None:
    """As tuples compare, but for trailing zeros."""
    first, second = (ordered(".".join(map(str, numbers))) for numbers in (one, other))
    assert first is not None
    assert second is not None
    width = max(len(one), len(other))
    padded = [numbers + [0] * (width - len(numbers)) for numbers in (one, other)]
    assert (first < second) == (padded[0] < padded[1])


@pytest.mark.parametrize(
    ("affected", "version", "held"),
    [
        pytest.param(Range("1.81.16", "1.83.7"), "1.81.15", False, id="below"),
        pytest.param(Range("1.81.16", "1.83.7"), "1.81.16", True, id="first"),
        pytest.param(Range("1.81.16", "1.83.7"), "1.81.16rc1", True, id="candidate of the first"),
        pytest.param(Range("1.81.16", "1.83.7"), "1.83.6", True, id="last before the fix"),
        pytest.param(Range("1.81.16", "1.83.7"), "1.83.6.post1", True, id="post-release before the fix"),
        pytest.param(Range("1.81.16", "1.83.7"), "1.83.7rc1", True, id="candidate of the fix"),
        pytest.param(Range("1.81.16", "1.83.7"), "1.83.7", False, id="the fix"),
        pytest.param(Range("1.81.16", "1.83.7"), "1.83.7.post1", False, id="after the fix"),
        pytest.param(Range(last="1.82.5"), "1.82.5", True, id="last affected"),
        pytest.param(Range(last="1.82.5"), "1.82.5.post1", True, id="post-release of the last"),
        pytest.param(Range(last="1.82.5"), "1.82.6", False, id="after the last"),
        pytest.param(Range(), "9.9.9", True, id="no fix"),
    ],
)
def test_a_range_holds_what_its_source_says(affected: Range, version: str, held: bool) -> None:
    """Closed where a source does not say: a candidate of a bad version, and of the fixed one, is affected."""
    found = ordered(version)
    assert found is not None
    assert affected.holds(found) is held
