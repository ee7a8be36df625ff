"""The parameters of approaches and their bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.optillm.catalogue import CATALOGUE
from litellm_homelab.optillm.parameters import NEVER_SENT, PARAMETERS, RELATIVES, Parameter, readable


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=PARAMETERS)
def test_the_data_is_sound(parameter: Parameter) -> None:
    """Each is read by a known approach, and OptiLLM's own default lies within our bounds."""
    assert parameter.approaches <= set(CATALOGUE)
    assert parameter.least <= parameter.default <= parameter.most
    assert parameter.name not in NEVER_SENT


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("k", 5, 5, id="within"),
        pytest.param("k", 10_000, 16, id="above"),
        pytest.param("k", -3, 1, id="below"),
        pytest.param("k", 2.5, None, id="a fraction for a whole number"),
        pytest.param("k", True, None, id="true"),
        pytest.param("k", "5", None, id="text"),
        pytest.param("k", None, None, id="null"),
        pytest.param("comparison_temperature", 0.5, 0.5, id="a fraction"),
        pytest.param("comparison_temperature", 1, 1, id="a whole number for a fraction"),
        pytest.param("comparison_temperature", float("nan"), None, id="not a number"),
        pytest.param("comparison_temperature", float("inf"), None, id="infinity"),
        pytest.param("comparison_temperature", 9.0, 2, id="above, fraction"),
    ],
)
def test_bounds_a_value(name: str, value: object, expected: float | None) -> None:
    """A number is brought within the bounds, anything else is none."""
    assert PARAMETERS[name].bounded(value) == expected


@given(st.sampled_from(sorted(PARAMETERS)), st.one_of(st.integers(), st.floats(), st.text(), st.none()))
def test_what_is_read_is_always_within_bounds(name: str, value: object) -> None:
    """Whatever the field holds, the number used lies between least and most."""
    parameter = PARAMETERS[name]
    assert parameter.least <= parameter.read({name: value}) <= parameter.most


def test_an_approach_reads_its_own_only() -> None:
    """`k` is majority_voting's, and several parts read what each reads."""
    assert set(readable(["majority_voting"])) == {"k"}
    assert set(readable(["moa"])) == set()
    assert set(readable(["majority_voting", "deep_research"])) == {
        "k",
        "max_iterations",
        "max_sources",
    }


def test_mcts_parameters_are_not_sent() -> None:
    """What 0.3.12 keeps for every later caller may not be sent by any."""
    assert set(readable(["mcts"])) == set()


@pytest.mark.parametrize(
    "name", ["n", "temperature", "top_p", "top_k", "timeout", "max_tokens", "stop", "model"]
)
def test_what_all_backends_read_is_no_relative(name: str) -> None:
    """Stripping for other deployments leaves alone what they understand themselves."""
    assert name not in RELATIVES
