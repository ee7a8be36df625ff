"""Which advisories concern a version, and which of them stop the start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.advisories.listed import OPTILLM, Advisory, published
from litellm_homelab.advisories.rule import concerns, is_readable, of_approaches
from litellm_homelab.advisories.versions import Range

WORST = Advisory(
    "A-1", "a hole", "nothing helps", (Range("1.107.0", "1.108.3"),), aliases=("B-1",), exploited=True
)
OTHER = Advisory("A-2", "a smaller hole", "closed here", (Range(before="1.109.0"),))
OPEN = Advisory(
    "o#1", "runs code", "must be listed", (Range(),), package=OPTILLM, approaches=("z3", "router")
)
PLANTED = (WORST, OTHER, OPEN)


@pytest.mark.parametrize(
    ("version", "accepted", "expected"),
    [
        pytest.param("1.106.0", (), [("A-2", False)], id="one that warns"),
        pytest.param("1.107.0", (), [("A-1", True), ("A-2", False)], id="one that stops"),
        pytest.param("1.108.2", ("A-1",), [("A-1", False), ("A-2", False)], id="accepted by id"),
        pytest.param("1.108.2", ("B-1",), [("A-1", False), ("A-2", False)], id="accepted by alias"),
        pytest.param("1.108.2", ("A-2",), [("A-1", True), ("A-2", False)], id="another accepted"),
        pytest.param("1.108.3", (), [("A-2", False)], id="fixed"),
        pytest.param("1.109.0", (), [], id="all fixed"),
        pytest.param("main", (), [], id="not a version"),
    ],
)
def test_a_version_has_its_advisories(
    version: str, accepted: tuple[str, ...], expected: list[tuple[str, bool]]
) -> None:
    """Only a hole that is known to be exploited stops the start, and only where it is not accepted."""
    found = concerns(version, PLANTED, accepted)
    assert [(one.advisory.id, one.stops) for one in found] == expected


@given(
    st.from_regex(r"1\.(10[0-9]|11[0-9])\.[0-9]", fullmatch=True),
    st.sets(st.sampled_from(["A-1", "B-1", "A-2", "A-3"])),
)
def test_accepting_never_adds_and_never_hides(version: str, accepted: set[str]) -> None:
    """Law: what concerns a version does not depend on what is accepted; only whether it stops does."""
    without, with_them = list(concerns(version, PLANTED, ())), list(concerns(version, PLANTED, accepted))
    assert [one.advisory for one in without] == [one.advisory for one in with_them]
    assert {one.advisory.id for one in with_them if one.stops} <= {
        one.advisory.id for one in without if one.stops
    }


@pytest.mark.parametrize(
    ("approaches", "accepted", "expected"),
    [
        pytest.param(["none", "z3"], (), [("z3", "o#1")], id="listed"),
        pytest.param(["router"], (), [("router", "o#1")], id="inside another"),
        pytest.param(["z3"], ("o#1",), [], id="accepted"),
        pytest.param(["none", "moa"], (), [], id="not listed"),
    ],
)
def test_an_approach_has_its_advisories(
    approaches: list[str], accepted: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """What reaches a hole of OptiLLM's is named where a handle lists it."""
    found = of_approaches(approaches, PLANTED, accepted)
    assert [(approach, one.id) for approach, one in found] == expected


def test_versions_that_can_be_compared() -> None:
    """A number can, a branch's name cannot."""
    assert is_readable("1.106.2")
    assert not is_readable("main")


@pytest.mark.parametrize("version", [*TESTED_LITELLM, "1.106.0", "1.108.7", "1.110.2"])
def test_supported_versions_have_no_published_advisory(version: str) -> None:
    """README: not below 1.106, whose published holes are all fixed there."""
    assert list(concerns(version, published().advisories, ())) == []


@pytest.mark.parametrize("version", ["1.83.6", "1.83.14", "1.95.0", "1.82.7"])
def test_versions_that_home_labs_pin_have_some(version: str) -> None:
    """What the start would say of such a file."""
    assert list(concerns(version, published().advisories, ()))
