"""Calls per approach."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.optillm.approaches import Approach, InvalidApproach, parse
from litellm_homelab.optillm.catalogue import CATALOGUE
from litellm_homelab.optillm.costs import COSTS, FORMULAS, estimate


def approach(text: str) -> Approach:
    """Parse a text that must be an approach."""
    parsed = parse(text)
    assert not isinstance(parsed, InvalidApproach), parsed
    return parsed


@pytest.mark.parametrize(
    ("text", "n", "params", "calls"),
    [
        pytest.param("none", 1, {}, 1, id="none"),
        pytest.param("none", 5, {}, 1, id="none passes n on"),
        pytest.param("re2", 1, {}, 1, id="re2"),
        pytest.param("moa", 1, {}, 6, id="moa, n unsupported upstream"),
        pytest.param("moa", 3, {}, 18, id="n multiplies"),
        pytest.param("bon", 1, {}, 7, id="bon, n unsupported upstream"),
        pytest.param("moa&re2", 1, {}, 7, id="in turn adds up"),
        pytest.param("moa|bon", 2, {}, 26, id="side by side adds up"),
        pytest.param("|".join(["re2"] * 40), 1, {}, 40, id="repeats count"),
        pytest.param("mcts", 1, {}, 14, id="mcts"),
        pytest.param("mcts", 1, {"mcts_simulations": 4, "mcts_depth": 2}, 36, id="mcts with more"),
        pytest.param("mars", 1, {}, 118, id="mars"),
        pytest.param("mars", 1, {"max_tokens": 4000}, 15, id="mars, light"),
        pytest.param("mars", 1, {"max_tokens": 10, "max_completion_tokens": 9000}, 118, id="newer name wins"),
        pytest.param("mars", 1, {"max_tokens": "10"}, 118, id="mars, no number"),
        pytest.param("majority_voting", 1, {}, 9, id="majority_voting"),
        pytest.param("majority_voting", 1, {"k": 3}, 4, id="k"),
        pytest.param("majority_voting", 1, {"k": "3"}, 9, id="k of the wrong type"),
        pytest.param("genselect", 1, {}, 6, id="genselect"),
        pytest.param("genselect", 1, {"num_candidates": 10}, 12, id="num_candidates"),
        pytest.param("deepthink", 1, {"deepthink_samples": 10}, 14, id="deepthink_samples"),
        pytest.param("deep_research", 1, {}, 18, id="deep_research"),
        pytest.param("deep_research", 1, {"max_iterations": 20}, 63, id="max_iterations"),
        pytest.param("readurls", 1, {}, 0, id="no calls"),
        pytest.param("moa", 0, {}, 0, id="n of 0"),
        pytest.param("moa", -1, {}, 0, id="negative n"),
    ],
)
def test_estimates(text: str, n: int, params: dict[str, object], calls: int) -> None:
    """The estimate is the measured table's, times n, with the parameters that multiply."""
    assert estimate(approach(text), n, params) == calls


@pytest.mark.parametrize(("chars", "calls"), [(0, 2), (100_000, 2), (100_001, 3), (1_000_000, 11)])
def test_memory_reads_in_chunks(chars: int, calls: int) -> None:
    """Memory calls once for each 100,000 characters, and once to answer."""
    assert estimate(approach("memory"), 1, {}, prompt_chars=chars) == calls


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_the_table_and_the_formulas_agree(name: str) -> None:
    """With no field given a formula says what the table says, and the worst is never below the usual."""
    assert estimate(Approach("single", (name,)), 1, {}) == COSTS[name].worst
    assert COSTS[name].worst >= COSTS[name].usual


@given(
    st.sampled_from(sorted(CATALOGUE)),
    st.integers(-5, 50),
    st.dictionaries(
        st.sampled_from(["k", "num_candidates", "mcts_depth", "mcts_simulations", "max_tokens"]),
        st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.lists(st.integers())),
    ),
)
def test_any_fields_give_a_bounded_number(name: str, n: int, params: dict[str, Any]) -> None:
    """Fields of any type and size neither raise nor lead to a negative or unbounded estimate."""
    calls = estimate(Approach("single", (name,)), n, params)
    assert 0 <= calls <= 118 * max(n, 1)
    assert name in FORMULAS or calls in {COSTS[name].worst * max(n, 0), COSTS[name].worst}
