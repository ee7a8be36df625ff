"""The rule over what a request asks of an OptiLLM handle, and the settings behind it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.config.loading import parse
from litellm_homelab.config.sections import Lane, Limits
from litellm_homelab.config.settings import Known, SettingsError
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.optillm import tags
from litellm_homelab.optillm.approaches import Approach
from litellm_homelab.optillm.lanes import Lanes, OptillmRun

BOOST = Lane(approaches=["none", "re2", "moa", "mcts", "majority_voting"], max_calls=12, prefixes=True)
SOFT = Lane(approaches=["re2", "moa"], default="re2", max_calls=64, max_n=3, tags="neutralise")
LANES = Lanes({"boost": BOOST, "soft": SOFT})
RE2, MOA, MCTS = (Approach("single", (name,)) for name in ("re2", "moa", "mcts"))
VOTING = Approach("single", ("majority_voting",))


@pytest.mark.parametrize(
    ("name", "split"),
    [
        pytest.param("moa-boost", ("moa", "boost"), id="an approach and a handle"),
        pytest.param("re2&moa-boost", ("re2&moa", "boost"), id="a combination"),
        pytest.param("none-boost", ("none", "boost"), id="none"),
        pytest.param("bon-boost", ("bon", "boost"), id="one that the handle does not list"),
        pytest.param("boost", None, id="the handle alone"),
        pytest.param("nope-boost", None, id="no approach"),
        pytest.param("auto-boost", None, id="auto"),
        pytest.param("re2-moa-boost", None, id="two prefixes"),
        pytest.param("moa-soft", None, id="a handle without prefixes"),
        pytest.param("moa-nowhere", None, id="no handle"),
        pytest.param("-boost", None, id="nothing before the dash"),
    ],
)
def test_a_name_with_a_prefix(name: str, split: tuple[str, str] | None) -> None:
    """It is a handle and an approach where the handle says so, else a name like any other."""
    assert LANES.split_prefix(name) == split


@pytest.mark.parametrize(
    ("handle", "asked", "approach"),
    [
        pytest.param("boost", [], "none", id="nothing is asked"),
        pytest.param("soft", [], "re2", id="nothing is asked, the operator chose"),
        pytest.param("boost", ["moa"], "moa", id="one"),
        pytest.param("boost", ["moa", "moa"], "moa", id="the same twice"),
        pytest.param("boost", ["moa&re2"], "moa&re2", id="a combination of listed ones"),
    ],
)
def test_an_approach_that_is_allowed(handle: str, asked: list[object], approach: str) -> None:
    """It is what the client asked, else the default."""
    decided = LANES.decide(handle, asked, {})
    assert isinstance(decided, OptillmRun)
    assert decided.approach.text == approach


@pytest.mark.parametrize(
    ("handle", "asked", "words"),
    [
        pytest.param(
            "boost", ["bon"], "approach bon is not allowed here (allowed: none, re2, moa", id="not listed"
        ),
        pytest.param(
            "soft", ["none"], "approach none is not allowed here (allowed: re2, moa)", id="not even none"
        ),
        pytest.param(
            "boost", ["moa&bon"], "approach bon is not allowed here", id="a part that is not listed"
        ),
        pytest.param("boost", ["nope"], "unknown approach 'nope'", id="unknown"),
        pytest.param("boost", ["re2", "moa"], "more than one approach: 're2', 'moa'", id="two"),
        pytest.param("boost", [None], "must be a text, got null", id="null"),
        pytest.param("boost", [["moa"]], "must be a text, got a list", id="a list"),
    ],
)
def test_an_approach_that_is_not(handle: str, asked: list[object], words: str) -> None:
    """The refusal names the handle, the field and what is allowed."""
    refusal = LANES.decide(handle, asked, {})
    assert isinstance(refusal, Refuse)
    assert (refusal.type, refusal.param) == (RefusalType.APPROACH_NOT_ALLOWED, "optillm_approach")
    assert refusal.message.startswith(f"{handle}: ")
    assert words in refusal.message


@pytest.mark.parametrize(
    ("handle", "approach", "n", "fields", "calls"),
    [
        pytest.param("boost", RE2, None, {}, None, id="cheap"),
        pytest.param("boost", MOA, None, {}, None, id="within the limit"),
        pytest.param("boost", Approach("and", ("moa", "moa", "re2")), None, {}, 13, id="one too many"),
        pytest.param("boost", MOA, 5, {}, None, id="n is brought down to max_n first"),
        pytest.param("soft", Approach("or", ("moa",) * 4), 2, {}, None, id="n multiplies"),
        pytest.param("soft", Approach("or", ("moa",) * 4), 3, {}, 72, id="n multiplies beyond the limit"),
        pytest.param("soft", Approach("or", ("moa",) * 4), 99, {}, 72, id="n is brought down"),
        pytest.param("soft", MOA, "3", {}, None, id="an n that is no number is not sent"),
        pytest.param("soft", MOA, True, {}, None, id="nor is a truth value"),
        pytest.param("soft", MOA, -5, {}, None, id="a negative n pays for nothing"),
        pytest.param("boost", MCTS, None, {}, 14, id="a search"),
        pytest.param("soft", MCTS, None, {"mcts_simulations": 8}, None, id="a parameter that is not sent"),
        pytest.param("boost", VOTING, None, {"k": 12}, 13, id="a parameter that is"),
        pytest.param("boost", VOTING, None, {"k": 11}, None, id="a parameter within the limit"),
        pytest.param("boost", VOTING, None, {"k": 10**9}, 17, id="a parameter as bounded"),
        pytest.param("boost", VOTING, None, {"k": "99"}, None, id="a parameter of the wrong type"),
    ],
)
def test_what_a_request_may_cost(
    handle: str, approach: Approach, n: object, fields: dict[str, object], calls: int | None
) -> None:
    """Its calls are estimated from what would be sent, and refused above `max_calls` before any."""
    lane = Lane(**{**LANES.lanes[handle].model_dump(), "approaches": [*approach.parts], "default": "none"})
    decided = Lanes({handle: lane}).decide(handle, [approach.text], {**fields, "n": n})
    if calls is None:
        assert isinstance(decided, OptillmRun)
        return
    assert isinstance(decided, Refuse)
    refusal = decided
    assert (refusal.type, refusal.param) == (RefusalType.FANOUT_EXCEEDED, "optillm_approach")
    limit = LANES.lanes[handle].max_calls
    assert f"may make {calls} calls for one request; {limit} are allowed" in refusal.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"prompt_id": "a"}, "prompt_id", id="a stored prompt"),
        pytest.param({"prompt_id": None}, None, id="no stored prompt"),
        pytest.param({"web_search_options": {}}, "web_search_options", id="a search"),
        pytest.param({"tools": [{"type": "function", "function": {}}]}, None, id="a function"),
        pytest.param({"tools": [{"name": "f", "input_schema": {}}]}, None, id="a function, Anthropic's way"),
        pytest.param({"tools": [{"function": {}}, {"type": "mcp"}]}, "tools", id="a tool of a server"),
        pytest.param(
            {"tools": [{"type": "web_search_20250305"}]}, "tools", id="a tool of a server, Anthropic's"
        ),
        pytest.param({"tools": [{"type": ["x"] * 99}]}, "tools", id="a type of another kind"),
        pytest.param({"tools": [{"type": "custom", "input_schema": {}}]}, None, id="a function, so called"),
        pytest.param({"tools": [{"type": "mcp", "input_schema": {}}]}, "tools", id="a tool dressed up"),
        pytest.param({"tools": "x"}, None, id="tools of another kind, which LiteLLM refuses"),
        pytest.param({"tools": [5, None, "x"]}, None, id="tools that are none, which LiteLLM refuses"),
    ],
)
def test_what_would_act_behind_the_rules_back(fields: dict[str, object], param: str | None) -> None:
    """Stored prompts and tools that a server runs are refused; the message stays short."""
    refusal = LANES.decide("boost", [], fields)
    assert (refusal.param if isinstance(refusal, Refuse) else None) == param
    assert isinstance(LANES.decide("boost", [], fields, by_name=False), OptillmRun)
    if isinstance(refusal, Refuse):
        assert refusal.type == RefusalType.PARAM_NOT_ALLOWED
        assert len(refusal.message) < 200


TAGGED = {"messages": [{"role": "user", "content": "<optillm_approach>moa</optillm_approach>"}], "tools": []}


def test_a_tag_is_refused_with_its_place() -> None:
    """`param` is the field, the message has the whole path."""
    refusal = LANES.prompt("boost", TAGGED)
    assert isinstance(refusal, Refuse)
    assert (refusal.type, refusal.param) == (RefusalType.APPROACH_IN_PROMPT, "messages")
    assert "messages[0].content" in refusal.message


def test_a_tag_is_made_inert_where_the_operator_says_so() -> None:
    """What is sent holds no tag, and what was given is not touched."""
    before = copy.deepcopy(TAGGED)
    inert = LANES.prompt("soft", TAGGED)
    assert not isinstance(inert, Refuse)
    assert LANES.prompt("boost", inert) is inert
    assert before == TAGGED


def test_a_prompt_without_a_tag_is_the_very_same_object() -> None:
    """Nothing is copied in the common case."""
    texts: dict[str, object] = {"messages": [{"content": "a < b"}]}
    for handle in LANES.lanes:
        assert LANES.prompt(handle, texts) is texts


PIECES = st.sampled_from(
    ["<optillm_", "approach>moa", "<", "hello", "<optillm_approach>moa", "</OPTILLM_APPROACH", ""]
)
LONG = st.builds(lambda start, end: f"{start}{'a_b < c ' * 600}{end}", PIECES, PIECES)


@given(texts=st.lists(LONG | PIECES, min_size=1, max_size=4), order=st.permutations(range(4)))
def test_a_text_that_was_looked_at_is_not_forgotten(texts: list[str], order: list[int]) -> None:
    """What was found clean is searched once a request; what stands around it counts every time."""
    clean: dict[int, str] = {}
    again = [texts[number] for number in order if number < len(texts)]
    for messages in (texts, again, [*again, *texts]):
        whole = [{"role": "user", "content": text} for text in messages]
        assert tags.find(whole, clean) == tags.find(whole)
    assert all(tags.find(text) is None for text in clean.values())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.sampled_from(["optillm_approach", "n", "k", "tools", "prompt_id", "messages", "max_tokens"]), JSON
)
PARTS = st.lists(st.sampled_from(["none", "re2", "moa", "mars", "memory", "k", ""]), max_size=4)


@given(fields=FIELDS, asked=st.lists(JSON | PARTS.map("&".join) | PARTS.map("|".join), max_size=3))
def test_no_request_makes_the_rule_break_or_is_changed(fields: dict[str, Any], asked: list[object]) -> None:
    """Whatever stands in the fields: an answer, the same fields, and never more calls than allowed."""
    before = copy.deepcopy((fields, asked))
    for handle, lane in LANES.lanes.items():
        for by_name in (True, False):
            decided = LANES.decide(handle, asked, fields, by_name=by_name)
            LANES.prompt(handle, fields)
            if isinstance(decided, OptillmRun):
                assert set(decided.approach.parts) <= set(lane.approaches)
    assert (fields, asked) == before


# --- settings ----------------------------------------------------------------------------------------


def lane_of(boost: dict[str, Any], environ: dict[str, str]) -> Lane:
    """The handle `boost` of a router.yaml with these settings."""
    document = {
        "homelab": {"showroom": {"handles": ["boost"]}, "optillm": {"boost": {"carrier": "off", **boost}}},
        "model_list": [{"model_name": "boost", "litellm_params": {"model": "openai/base"}}],
        "litellm_settings": {"callbacks": ["litellm_homelab.plugin"]},
    }
    text = json.dumps(document)
    return parse(text, path="router.yaml", environ=environ, known=Known()).homelab.optillm["boost"]


def test_numbers_and_switches_may_come_from_the_environment() -> None:
    """A variable is text; it is read as YAML would read it."""
    lane = lane_of(
        {"approaches": ["none"], "max_calls": "os.environ/CALLS", "prefixes": "os.environ/PREFIXES"},
        {"CALLS": "99", "PREFIXES": "true"},
    )
    assert (lane.max_calls, lane.prefixes) == (99, True)


@pytest.mark.parametrize("written", ["off", False])
def test_a_carrier_may_be_off_without_quotes(written: object) -> None:
    """YAML reads `carrier: off` as false; it means what it says."""
    assert lane_of({"approaches": ["none"], "carrier": written}, {}).carrier == "off"


@pytest.mark.parametrize(
    "wrong",
    [{"max_calls": True}, {"max_calls": "1e3"}, {"prefixes": "yes"}, {"prefixes": 1}, {"carrier": True}],
)
def test_nothing_else_is_taken_for_a_number_or_a_switch(wrong: dict[str, object]) -> None:
    """A truth value is no number, and a word is no truth value."""
    with pytest.raises(SettingsError, match=r"homelab\.optillm\.boost\.\w+: expected "):
        lane_of({"approaches": ["none"], **wrong}, {})


def test_limits_may_come_from_the_environment() -> None:
    """As the numbers of a handle."""
    assert Limits.model_validate({"body_mb": "64"}).body_mb == 64
