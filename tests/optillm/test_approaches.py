"""The grammar of `optillm_approach` and the decision about it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_homelab.optillm.approaches import (
    MAX_PARTS,
    NONE,
    Approach,
    InvalidApproach,
    decide,
    eaten_by_optillm,
    parse,
    split_prefix,
)
from litellm_homelab.optillm.catalogue import CATALOGUE, PREFIXES, Selector

BOOST = ("none", "re2", "moa", "bon", "plansearch", "self_consistency")


def as_optillm_parses(model: str) -> tuple[str, list[str], str]:
    """Do what `parse_combined_approach` of OptiLLM 0.4.0 and 0.3.12 does."""
    if model == "auto":
        return "SINGLE", ["none"], model
    approaches: list[str] = []
    operation = "SINGLE"
    rest: list[str] = []
    for part in model.split("-"):
        if rest or not (part in PREFIXES or "&" in part or "|" in part):
            rest.append(part)
        elif part in PREFIXES:
            approaches.append(part)
        else:
            operation, sign = ("AND", "&") if "&" in part else ("OR", "|")
            approaches.extend(part.split(sign))
    return operation, approaches or ["none"], "-".join(rest)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("moa", Approach("single", ("moa",)), id="single"),
        pytest.param("none", NONE, id="none"),
        pytest.param("moa&re2", Approach("and", ("moa", "re2")), id="in turn"),
        pytest.param("moa|re2", Approach("or", ("moa", "re2")), id="side by side"),
        pytest.param("re2|re2|re2", Approach("or", ("re2", "re2", "re2")), id="repeated"),
        pytest.param("executecode", Approach("single", ("executecode",)), id="dangerous, grammar only"),
        pytest.param("cot_decoding", Approach("single", ("cot_decoding",)), id="a decoding"),
    ],
)
def test_reads_the_grammar(text: str, expected: Approach) -> None:
    """A well-formed text is read, and written back as the very same text."""
    assert parse(text) == expected
    assert expected.text == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("mao", "unknown approach 'mao'", id="unknown"),
        pytest.param("", "is empty", id="empty"),
        pytest.param("  ", "is empty", id="blank"),
        pytest.param(" moa ", "must be written 'moa'", id="spaces"),
        pytest.param("moa\n", "must be written 'moa'", id="line end"),
        pytest.param("MOA", "must be written 'moa'", id="case"),
        pytest.param("auto", "let the model name choose", id="auto"),
        pytest.param("Auto", "let the model name choose", id="auto in another case"),
        pytest.param("re2&auto", "let the model name choose", id="auto as a part"),
        pytest.param("moa-expensive", "contains a dash", id="rewrites the model name"),
        pytest.param("none-x", "contains a dash", id="none as a prefix"),
        pytest.param("moa-re2", "contains a dash", id="two prefixes"),
        pytest.param("moa&", "a part is empty", id="nothing after &"),
        pytest.param("|moa", "a part is empty", id="nothing before |"),
        pytest.param("&", "a part is empty", id="only a sign"),
        pytest.param("moa&&re2", "a part is empty", id="two signs"),
        pytest.param("re2&moa|bon", "mixes & with |", id="mixture"),
        pytest.param("none&re2", "none cannot be combined", id="none with another"),
        pytest.param("re2|none", "none cannot be combined", id="another with none"),
        pytest.param("none|none", "none cannot be combined", id="none with none"),
        pytest.param("moa&nope", "unknown approach 'nope'", id="unknown part"),
        pytest.param("moa & re2", "must be written 'moa'", id="spaces round the sign"),
        pytest.param("re2|deepconf", "cannot be combined", id="decoding in a combination"),
        pytest.param("|".join(["re2"] * (MAX_PARTS + 1)), "more than 64 parts", id="too many parts"),
        pytest.param("m\u200boa", "unknown approach", id="zero width"),
        pytest.param(None, "got null", id="null"),
        pytest.param(True, "got a truth value", id="true"),
        pytest.param(3, "got a number", id="number"),
        pytest.param(["moa"], "got a list", id="list"),
        pytest.param({"moa": 1}, "got an object", id="object"),
    ],
)
def test_says_what_is_wrong(text: object, part: str) -> None:
    """What OptiLLM would reject, bend or take for a model name is a problem that says so."""
    problem = parse(text)
    assert isinstance(problem, InvalidApproach)
    assert part in problem.reason


def test_repeats_only_the_start_of_a_long_text() -> None:
    """An error does not carry a megabyte back to the client."""
    problem = parse("x" * 1_000_000)
    assert isinstance(problem, InvalidApproach)
    assert len(problem.reason) < 200


MODELS = st.text("abcxyz019-_.@/", min_size=1).filter(lambda name: not eaten_by_optillm(name))
PARTS = st.sampled_from(sorted(CATALOGUE))
TEXTS = st.one_of(
    st.text(),
    PARTS,
    st.lists(PARTS, min_size=2, max_size=5).map("&".join),
    st.lists(PARTS, min_size=2, max_size=5).map("|".join),
    st.text("moare2nonebon&|- ", max_size=12),
)


@given(TEXTS, MODELS)
@example("re2&moa|bon", "base-a")
def test_optillm_reads_the_same_and_the_model_stays(text: str, model: str) -> None:
    """Whatever is accepted means the same to OptiLLM, and leaves the model's name as it was."""
    approach = parse(text)
    if isinstance(approach, InvalidApproach) or approach.selector is Selector.DECODING:
        return
    operation, parts, rest = as_optillm_parses(f"{approach.text}-{model}")
    assert (operation.lower(), tuple(parts), rest) == (approach.operator, approach.parts, model)


@given(st.text("moare2nonebonrouter&|-@/x.", max_size=20))
def test_eaten_is_what_optillm_eats(name: str) -> None:
    """A name is eaten exactly when OptiLLM's parser would make another model name of it."""
    assert eaten_by_optillm(name) == (as_optillm_parses(name)[2] != name)


@pytest.mark.parametrize(
    ("name", "eaten"),
    [
        pytest.param("router-large", True, id="a plugin's name first"),
        pytest.param("memory-7b", True, id="another plugin's"),
        pytest.param("moa", True, id="all of it"),
        pytest.param("a&b-x", True, id="a sign"),
        pytest.param("openai/moa-base", False, id="behind a slash"),
        pytest.param("mlx-moa-7b-q4", False, id="not at the start"),
        pytest.param("deepconf-x", False, id="a decoding is no prefix"),
        pytest.param("auto", False, id="auto"),
        pytest.param("", False, id="empty"),
    ],
)
def test_names_optillm_would_eat(name: str, eaten: bool) -> None:
    """The start of a name counts, up to the first dash."""
    assert eaten_by_optillm(name) is eaten


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param([], NONE, id="nothing asked: the default"),
        pytest.param(["moa"], Approach("single", ("moa",)), id="allowed"),
        pytest.param(["moa", "moa"], Approach("single", ("moa",)), id="twice the same"),
        pytest.param(["moa&re2"], Approach("and", ("moa", "re2")), id="every part allowed"),
    ],
)
def test_allows_what_is_listed(asked: list[object], expected: Approach) -> None:
    """A listed approach, or a combination of listed ones, is chosen."""
    assert decide(asked, BOOST, "none") == expected


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        pytest.param(["executecode"], "executecode is not allowed here (allowed: none, re2", id="not listed"),
        pytest.param(["moa&pvg&mcts"], "approach pvg, mcts is not allowed", id="parts not listed"),
        pytest.param(["moa", "re2"], "more than one approach: 'moa', 're2'", id="two different"),
        pytest.param(["moa", None], "more than one approach: 'moa', null", id="a text and a null"),
        pytest.param([None], "got null", id="null is a value"),
        pytest.param([[1], [1]], "got a list", id="lists"),
        pytest.param([1, True], "more than one approach", id="1 is not true"),
        pytest.param(["auto"], "(allowed: none, re2", id="auto"),
    ],
)
def test_refuses_what_is_not(asked: list[object], part: str) -> None:
    """What is unlisted, malformed or contradictory is a problem that says what is allowed."""
    problem = decide(asked, BOOST, "none")
    assert isinstance(problem, InvalidApproach)
    assert part in problem.reason


def test_an_empty_list_allows_nothing() -> None:
    """Without any allowed approach even none is refused."""
    problem = decide([], (), "none")
    assert isinstance(problem, InvalidApproach)
    assert "no approach is allowed" in problem.reason


@given(st.lists(st.one_of(TEXTS, st.none(), st.integers(), st.lists(st.text())), max_size=3))
def test_deciding_never_raises_and_never_lets_an_unlisted_part_through(asked: list[object]) -> None:
    """Any value gives a problem or parts that are all listed."""
    decision = decide(asked, BOOST, "none")
    assert isinstance(decision, InvalidApproach) or set(decision.parts) <= set(BOOST)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("moa-boost", ("moa", "boost"), id="approach and handle"),
        pytest.param("none-boost", ("none", "boost"), id="none"),
        pytest.param("moa&re2-boost", ("moa&re2", "boost"), id="combination"),
        pytest.param("executecode-boost", ("executecode", "boost"), id="whether allowed is not asked here"),
        pytest.param("moa-re2-boost", None, id="two prefixes"),
        pytest.param("moa-x-boost", ("moa", "x-boost"), id="handle with a dash"),
        pytest.param("re2-named", None, id="a handle of that very name"),
        pytest.param("fast-boost", None, id="no approach"),
        pytest.param("MOA-boost", None, id="another case"),
        pytest.param("moa-", None, id="no handle"),
        pytest.param("boost", None, id="the handle"),
        pytest.param("moa-nope", None, id="unknown handle"),
        pytest.param("moa&nope-boost", None, id="malformed combination"),
    ],
)
def test_splits_a_prefixed_name(name: str, expected: tuple[str, str] | None) -> None:
    """Only approach, dash, handle is split; everything else is no such name."""
    assert split_prefix(name, {"boost", "x-boost", "re2-named", "named"}) == expected
