"""One request, one name: every pair of places."""

from __future__ import annotations

from itertools import combinations, product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.showroom import names
from litellm_homelab.showroom.names import Named, Place

PLACES: tuple[Place, ...] = get_args(Place)
PAIRS = [(one, other) for one, other in product(PLACES, PLACES)]
OVERRIDDEN = {frozenset({"path", inside}) for inside in names.INSIDE}


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_places_that_differ_are_refused(one: Place, other: Place) -> None:
    """Whichever they are, a place with itself too; only a path stands above what is inside the body."""
    refusal = names.disagreement([Named(one, "main"), Named(other, "back")])
    if frozenset({one, other}) in OVERRIDDEN:
        assert refusal is None
    else:
        assert refusal is not None
        assert (refusal.status, refusal.type, refusal.param) == (400, "invalid_request_error", "model")
        assert names.WORDS[one] in refusal.message
        assert names.WORDS[other] in refusal.message


@pytest.mark.parametrize(("one", "other"), PAIRS)
@pytest.mark.parametrize("value", ["main", "models/main", "main@homelab.abc", "models/main@homelab.abc"])
def test_equal_names_pass(one: Place, other: Place, value: str) -> None:
    """Lineage token and `models/` make no difference."""
    assert names.disagreement([Named(one, "main"), Named(other, value)]) is None
    assert names.disagreement([Named(one, value), Named(other, "main")]) is None


@pytest.mark.parametrize(
    "value", ["Main", " main", "main ", "openai/main", "main,back", ["main"], {"m": 1}, 1, True]
)
def test_names_are_compared_as_they_are(value: object) -> None:
    """Another case, white space or kind of value is another name."""
    assert names.disagreement([Named("body", "main"), Named("query", value)]) is not None


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_no_name(place: Place, nothing: object) -> None:
    """Null and the empty text name nothing."""
    assert names.disagreement([Named("body", "main"), Named(place, nothing), Named("header", "main")]) is None


def test_query_and_body_of_a_path_route_are_not_the_same() -> None:
    """What is inside the body gives way to the path; a query, header or id beside it does not."""
    inside = [Named("body", "gpt-4o"), Named("extra_body", "x"), Named("form", "y")]
    assert names.disagreement([*inside, Named("path", "main"), Named("query", "main")]) is None
    assert names.disagreement([*inside, Named("path", "main"), Named("query", "back")]) is not None


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(["main", "back", "models/main", "", None])))
)
def test_order_makes_no_difference(found: list[tuple[Place, object]]) -> None:
    """The decision depends on what is named where, not on the order in which it was found."""
    named = [Named(place, value) for place, value in found]
    assert (names.disagreement(named) is None) == (names.disagreement(named[::-1]) is None)
    pairs = combinations([one for one in named if one.value not in {None, ""}], 2)
    by_path = any(one.place == "path" and one.value for one in named)
    differ = any(
        names.bare(one.value) != names.bare(other.value)
        and not (by_path and names.INSIDE & {one.place, other.place})
        for one, other in pairs
    )
    assert (names.disagreement(named) is not None) == differ
