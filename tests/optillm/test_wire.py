"""The wire to OptiLLM is an allow-list; the wire to everyone else is free of OptiLLM."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.optillm.approaches import NONE, Approach
from litellm_homelab.optillm.parameters import NEVER_SENT, RELATIVES
from litellm_homelab.optillm.wire import (
    ALWAYS,
    DROPPED,
    FIELD_NAMES,
    NEVER,
    PASSED_ON,
    HandleLimits,
    reduce,
    strip,
)

PLAIN = HandleLimits()
PLUMBING = frozenset({"api_key", "api_base", "metadata", "litellm_call_id"})
CHAT: dict[str, object] = {"model": "openai/base", "messages": [{"role": "user", "content": "hi"}]}


def single(name: str) -> Approach:
    """Build an approach of one part."""
    return Approach("single", (name,))


MOA, MCTS = single("moa"), single("mcts")


@pytest.mark.parametrize(
    "name", sorted({*NEVER, *DROPPED, *NEVER_SENT, "unknown", "Optillm_Approach", "decoding"})
)
@pytest.mark.parametrize("approach", [NONE, MOA, single("spl")], ids=lambda approach: approach.text)
def test_nothing_that_forges_or_steers_leaves(name: str, approach: Approach) -> None:
    """Fields that forge OptiLLM's calls, reach other callers or are unknown are left out, and named."""
    reduced = reduce({**CHAT, name: "x"}, approach, PLAIN, frozenset())
    assert name not in reduced.fields
    assert reduced.stripped == (name,)


@pytest.mark.parametrize("name", sorted(NEVER))
def test_calling_it_plumbing_does_not_help(name: str) -> None:
    """What forges OptiLLM's calls does not leave even when it is listed as plumbing."""
    assert name not in reduce({**CHAT, name: {"a": 1}}, NONE, PLAIN, frozenset({name})).fields


def test_plumbing_passes_untouched() -> None:
    """What LiteLLM itself uses is the very same object afterwards, null included."""
    fields: dict[str, object] = {**CHAT, "api_key": "sk-1", "metadata": {"a": 1}, "litellm_call_id": None}
    reduced = reduce(fields, MOA, PLAIN, PLUMBING)
    assert reduced.stripped == ()
    assert reduced.fields["metadata"] is fields["metadata"]
    assert reduced.fields["api_key"] == "sk-1"
    assert reduced.fields["litellm_call_id"] is None


@pytest.mark.parametrize(
    ("approach", "sent"),
    [
        pytest.param(NONE, {}, id="none: no field at all"),
        pytest.param(MOA, {"optillm_approach": "moa"}, id="single"),
        pytest.param(
            Approach("and", ("moa", "re2")), {"optillm_approach": "moa&re2"}, id="combination in its own text"
        ),
        pytest.param(single("deepconf"), {"decoding": "deepconf"}, id="a decoding in its own field"),
    ],
)
@pytest.mark.parametrize(
    "client", [{}, {"optillm_approach": "executecode", "decoding": "x"}], ids=["-", "asked"]
)
@pytest.mark.parametrize(
    "plumbing", [frozenset(), frozenset({"optillm_approach", "decoding"})], ids=["-", "p"]
)
def test_the_approach_is_sent_once(
    approach: Approach, sent: dict[str, str], client: dict[str, object], plumbing: frozenset[str]
) -> None:
    """The decided approach is what leaves, whatever the client sent, and none is sent as no field."""
    fields = reduce({**CHAT, **client}, approach, PLAIN, plumbing).fields
    assert {name: fields[name] for name in ("optillm_approach", "decoding") if name in fields} == sent


@pytest.mark.parametrize(
    ("value", "most", "sent"),
    [
        pytest.param(1, 1, 1, id="one"),
        pytest.param(3, 1, 1, id="above"),
        pytest.param(3, 4, 3, id="within"),
        pytest.param(0, 4, 1, id="zero"),
        pytest.param(-2, 4, 1, id="negative"),
        pytest.param(10**30, 4, 4, id="huge"),
        pytest.param("2", 4, None, id="text"),
        pytest.param(None, 4, None, id="null"),
        pytest.param(True, 4, None, id="true"),
        pytest.param(2.0, 4, None, id="fraction"),
    ],
)
def test_n_is_capped(value: object, most: int, sent: int | None) -> None:
    """`n` leaves as a whole number from 1 to the cap, or not at all."""
    reduced = reduce({**CHAT, "n": value}, MOA, HandleLimits(max_n=most), frozenset())
    assert reduced.fields.get("n") == sent
    assert ("n" in reduced.stripped) == (sent is None)


@pytest.mark.parametrize("name", sorted(PASSED_ON))
def test_what_only_the_model_reads_goes_with_passing_on_only(name: str) -> None:
    """Tools and their like go with none and spl; an approach that would lose them does not get them."""
    assert name in reduce({**CHAT, name: 1}, NONE, PLAIN, frozenset()).fields
    assert name in reduce({**CHAT, name: 1}, single("spl"), PLAIN, frozenset()).fields
    assert name in reduce({**CHAT, name: 1}, single("cot_decoding"), PLAIN, frozenset()).fields
    assert reduce({**CHAT, name: 1}, MOA, PLAIN, frozenset()).stripped == (name,)


def test_json_reads_the_response_format() -> None:
    """`response_format` goes to json, which reads it, and tools do not."""
    reduced = reduce({**CHAT, "response_format": {}, "tools": []}, single("json"), PLAIN, frozenset())
    assert reduced.fields["response_format"] == {}
    assert reduced.stripped == ("tools",)


@pytest.mark.parametrize(
    ("approach", "name", "value", "policy", "sent"),
    [
        pytest.param(single("majority_voting"), "k", 5, PLAIN, 5, id="read by this approach"),
        pytest.param(single("majority_voting"), "k", 500, PLAIN, 16, id="brought within bounds"),
        pytest.param(single("majority_voting"), "k", "5", PLAIN, None, id="of the wrong type"),
        pytest.param(MOA, "k", 5, PLAIN, None, id="not read by this approach"),
        pytest.param(NONE, "k", 5, PLAIN, None, id="none would answer 500"),
        pytest.param(Approach("or", ("moa", "majority_voting")), "k", 5, PLAIN, 5, id="read by one part"),
        pytest.param(MCTS, "mcts_depth", 2, PLAIN, None, id="kept for every later caller"),
        pytest.param(MOA, "mcts_depth", 2, PLAIN, None, id="so, and not read"),
    ],
)
def test_a_parameter_goes_where_it_is_read(
    approach: Approach, name: str, value: object, policy: HandleLimits, sent: object
) -> None:
    """A parameter leaves only for an approach that reads it, within bounds, and none that OptiLLM keeps."""
    assert reduce({**CHAT, name: value}, approach, policy, frozenset()).fields.get(name) == sent


NAMES = st.one_of(st.sampled_from(sorted(FIELD_NAMES)), st.text(max_size=6))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=6)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(NAMES, VALUES, max_size=8)
APPROACHES = st.sampled_from([NONE, MOA, MCTS, single("majority_voting"), single("spl"), single("deepconf")])


@given(FIELDS, APPROACHES, st.integers(1, 4))
def test_only_known_fields_leave(fields: dict[str, object], approach: Approach, most: int) -> None:
    """For any body: nothing raises, the input is as it was, and what leaves is known and within bounds."""
    before = copy.deepcopy(fields)
    reduced = reduce(fields, approach, HandleLimits(max_n=most), PLUMBING)
    assert fields == before
    allowed = {*ALWAYS, *PASSED_ON, *PLUMBING, "n", "k", "optillm_approach", "decoding"}
    assert set(reduced.fields) <= allowed
    assert ("optillm_approach" in reduced.fields) == (approach not in (NONE, single("deepconf")))
    assert 1 <= int(str(reduced.fields.get("n", 1))) <= most
    assert {*reduced.fields, *reduced.stripped, "optillm_approach"} >= set(fields)
    again = reduce(reduced.fields, approach, HandleLimits(max_n=most), PLUMBING)
    assert again.fields == reduced.fields


@pytest.mark.parametrize(
    ("fields", "kept", "names"),
    [
        pytest.param({"a": 1, "optillm_approach": "moa"}, {"a": 1}, ("optillm_approach",), id="top level"),
        pytest.param(
            {"extra_body": {"optillm_approach": "moa", "top_k": 5}},
            {"extra_body": {"top_k": 5}},
            ("optillm_approach",),
            id="inside extra_body, other keys stay",
        ),
        pytest.param(
            {"optillm_approach": "a", "k": 1, "extra_body": {"k": 2, "mcts_depth": 3}},
            {"extra_body": {}},
            ("optillm_approach", "k", "mcts_depth"),
            id="both, each named once",
        ),
        pytest.param({"optillm_approach": None}, {}, ("optillm_approach",), id="null"),
        pytest.param(
            {"extra_body": "text", "k": 1}, {"extra_body": "text"}, ("k",), id="extra_body of another type"
        ),
    ],
)
def test_strips_for_everyone_else(
    fields: dict[str, Any], kept: dict[str, object], names: tuple[str, ...]
) -> None:
    """OptiLLM's fields are taken out at both levels, and the input keeps them for a later attempt."""
    before = copy.deepcopy(fields)
    assert strip(fields) == (kept, names)
    assert fields == before


@given(FIELDS)
def test_stripping_leaves_the_rest(fields: dict[str, object]) -> None:
    """For any body: no relative is left at either level, everything else is the same, the input as it was."""
    before = copy.deepcopy(fields)
    kept, stripped = strip(fields)
    assert fields == before
    body = kept.get("extra_body")
    assert RELATIVES.isdisjoint(kept)
    assert not isinstance(body, dict) or RELATIVES.isdisjoint(body)
    assert (kept is fields) == (not stripped)
    assert {name for name in fields if name not in RELATIVES} == set(kept)
    assert all(kept[name] is fields[name] for name in kept if name != "extra_body")
    assert set(stripped) <= RELATIVES
