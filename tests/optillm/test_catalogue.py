"""The catalogue of approaches."""

from __future__ import annotations

import pytest

from litellm_homelab.optillm.catalogue import CATALOGUE, PREFIXES, Kind, Selector, unknown
from litellm_homelab.optillm.costs import COSTS

BUILT_IN = {
    *("none", "mcts", "bon", "moa", "rto", "z3", "self_consistency", "pvg", "rstar", "cot_reflection"),
    *("plansearch", "leap", "re2", "cepo", "mars"),
}
PLUGINS = {
    *("coc", "compact", "deep_research", "deepthink", "executecode", "genselect", "json", "longcepo"),
    *("majority_voting", "mcp", "memory", "privacy", "proxy", "readurls", "router", "spl", "web_search"),
}
DECODINGS = {"cot_decoding", "entropy_decoding", "thinkdeeper", "autothink", "deepconf"}


def test_holds_what_optillm_knows_and_nothing_else() -> None:
    """The catalogue is OptiLLM 0.4.0's known_approaches, its plugin slugs and its decodings."""
    assert set(CATALOGUE) == BUILT_IN | PLUGINS | DECODINGS


def test_prefixes_are_what_optillm_takes_off_a_model_name() -> None:
    """A decoding is no prefix: OptiLLM reads it from a field of its own."""
    assert BUILT_IN | PLUGINS == PREFIXES
    assert {CATALOGUE[name].selector for name in DECODINGS} == {Selector.DECODING}


@pytest.mark.parametrize(
    "name", ["executecode", "coc", "z3", "readurls", "web_search", "deep_research", "mcp", "memory", "proxy"]
)
def test_what_reaches_past_the_model_is_dangerous(name: str) -> None:
    """Code, network, tools, shared memory and other providers are marked, with a reason."""
    assert CATALOGUE[name].kind is Kind.DANGEROUS
    assert len(CATALOGUE[name].exposes) > 10


@pytest.mark.parametrize("name", sorted({*DECODINGS, "json", "privacy"}))
def test_what_needs_weights_is_local_only(name: str) -> None:
    """Approaches that need weights on the OptiLLM host are marked."""
    assert CATALOGUE[name].kind is Kind.LOCAL_ONLY


def test_every_approach_has_a_cost() -> None:
    """No approach can be allowed whose calls nobody counted."""
    assert set(COSTS) == set(CATALOGUE)


def test_unknown_names_what_is_known() -> None:
    """The settings loader can print the whole valid set."""
    text = unknown("mao")
    assert text is not None
    assert text.startswith("unknown approach 'mao' (known: autothink, bon, ")
    assert unknown("moa") is None
