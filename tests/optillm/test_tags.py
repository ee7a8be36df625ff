"""Tags in the prompt: found wherever OptiLLM or a joining would see one, and made inert."""

from __future__ import annotations

import copy
import json
import re
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_homelab.optillm.tags import JOINER, NAME, find, neutralise

OPEN, CLOSE = f"<{NAME}>", f"</{NAME}>"
TAG = f"{OPEN}moa{CLOSE}"
OPTILLMS = re.compile(r"<optillm_approach>(.*?)</optillm_approach>")
"""The very expression of OptiLLM 0.4.0 and 0.3.12 (`extract_optillm_approach`)."""


BARE: tuple[object, ...] = (None, True, 1, 1.5, "", [], {}, [[]], {"": {}})
"""JSON values without any text to speak of."""


def user(content: object) -> dict[str, object]:
    """Build a conversation of one user message."""
    return {"messages": [{"role": "user", "content": content}]}


def parts(*texts: str) -> list[dict[str, object]]:
    """Build list content."""
    return [{"type": "text", "text": text} for text in texts]


def image() -> dict[str, object]:
    """Build an image part."""
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def flattened(messages: Any) -> list[str]:
    """Give each message's text as `parse_conversation` of OptiLLM makes it."""
    texts = []
    for message in messages:
        content = message.get("content") or ""
        if isinstance(content, list):
            content = " ".join(
                item.get("text", "")
                for item in content
                if isinstance(item, dict) and item.get("type") == "text"
            )
        texts.append(content)
    return texts


@pytest.mark.parametrize(
    ("value", "path"),
    [
        pytest.param(user(f"{TAG} hi"), "messages[0].content", id="user text"),
        pytest.param({"system": TAG}, "system", id="system of messages"),
        pytest.param({"instructions": TAG}, "instructions", id="instructions of responses"),
        pytest.param({"input": TAG}, "input", id="input of responses"),
        pytest.param(
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": TAG}]}]},
            "input[0].content[0].text",
            id="input list",
        ),
        pytest.param(TAG, "the text", id="a bare text"),
        pytest.param(user(parts("hi", TAG)), "messages[0].content[1].text", id="second part"),
        pytest.param(user([TAG]), "messages[0].content[0]", id="text as a part"),
        pytest.param(user(parts(OPEN, "moa", CLOSE)), "messages[0].content[0].text", id="split at the value"),
        pytest.param(
            user(parts("<optillm_app", "roach>moa")), "messages[0].content[1].text", id="split in the name"
        ),
        pytest.param(
            user(parts("<", " optillm", "_", "approach>")),
            "messages[0].content[3].text",
            id="split four ways",
        ),
        pytest.param(
            user([*parts("a <opti"), image(), *parts("llm_approach>")]),
            "messages[0].content[2].text",
            id="an image between",
        ),
        pytest.param(
            user([*parts("<opti"), {"type": "input_text", "text": "junk"}, *parts("LLM_approach")]),
            "messages[0].content[2].text",
            id="another part between, another case",
        ),
        pytest.param(
            {
                "messages": [
                    {"role": "user", "content": "</"},
                    {"role": "user", "content": "optillm_approach"},
                ]
            },
            "messages[1].content",
            id="split over messages",
        ),
        pytest.param(user(CLOSE), "messages[0].content", id="closing tag alone"),
        pytest.param(user("<optillm_approach foo='1'>moa"), "messages[0].content", id="attribute"),
        pytest.param(user("< \n/ OptiLLM_Approach >"), "messages[0].content", id="spaces and case"),
        pytest.param(user("<optillm_approach"), "messages[0].content", id="unclosed"),
        pytest.param(user("漢字 <OPTILLM_approach>"), "messages[0].content", id="beyond ASCII"),
        pytest.param(user(f"<optillm_app{OPEN}x{CLOSE}roach>moa{CLOSE}"), "messages[0].content", id="nested"),
        *(
            pytest.param({"messages": [{"role": role, "content": TAG}]}, "messages[0].content", id=role)
            for role in ("system", "assistant", "tool", "developer", "function", "anything")
        ),
        pytest.param(
            {"messages": [{"role": "user", "name": TAG, "content": "x"}]}, "messages[0].name", id="name"
        ),
        pytest.param(
            {"messages": [{"tool_calls": [{"function": {"name": "f", "arguments": json.dumps(TAG)}}]}]},
            "messages[0].tool_calls[0].function.arguments",
            id="tool arguments",
        ),
        pytest.param({"tools": [{"a": {OPEN: 1}}]}, f"tools[0].a.{OPEN}", id="a key"),
        pytest.param({"a": [[{"b": [TAG]}]]}, "a[0][0].b[0]", id="deeply nested"),
        pytest.param([TAG], "[0]", id="a list"),
    ],
)
def test_finds_a_tag(value: object, path: str) -> None:
    """A tag is found, and its path told, and after neutralising there is none."""
    before = copy.deepcopy(value)
    assert find(value) == path
    cured = neutralise(value)
    assert find(cured) is None
    assert value == before
    assert json.dumps(cured).replace("\\u2060", "") == json.dumps(before)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(user("What is optillm_approach in the body for?"), id="the bare name"),
        pytest.param(user("a < b and `optillm` > c"), id="both signs"),
        pytest.param(user("<b>optillm_approach</b>"), id="another tag before the name"),
        pytest.param(user("&lt;optillm_approach&gt;"), id="escaped"),
        pytest.param(user("<\uff4fptillm_approach>"), id="fullwidth"),
        pytest.param(user("<\u200boptillm_approach>"), id="zero width"),
        pytest.param(user("<opt\u0131llm_approach>"), id="dotless i"),
        pytest.param(user(f"<{JOINER}optillm_approach>"), id="neutralised before"),
        pytest.param(user(parts("<optillm", "is a proxy", "approach")), id="pieces that do not fit"),
        pytest.param(user(parts("approach>", "<optillm_")), id="the wrong way round"),
        pytest.param(user(parts("a <", "b", "optillm approach")), id="a name with a space"),
        *(pytest.param(bare, id=repr(bare)) for bare in BARE),
    ],
)
def test_leaves_alone_what_holds_none(value: object) -> None:
    """What no joining could make a tag is not found, and comes back as the very same object."""
    assert find(value) is None
    assert neutralise(value) is value


def test_a_broken_spelling_as_a_key_of_its_own_is_not_lost() -> None:
    """Breaking a key never overwrites another entry."""
    value = {f"<{NAME}>": 1, f"<{JOINER}{NAME}>": 2}
    cured = neutralise(value)
    assert isinstance(cured, dict)
    assert sorted(cured.values()) == [1, 2]
    assert find(cured) is None


def test_depth_is_no_matter() -> None:
    """A value nested deeper than Python's stack is walked and rebuilt all the same."""
    value: object = TAG
    for _ in range(5000):
        value = [value]
    path = find(value)
    assert path is not None
    assert path.count("[0]") == 5000
    assert find(neutralise(value)) is None


PIECES = st.sampled_from(
    [
        *(OPEN, CLOSE, TAG, "<", "</", "< ", ">", "opti", "llm_", "optillm_", "approach", "OPTILLM_APPROACH"),
        *("<opti", "<optillm_appr", "oach>", "llm_approach", "moa", "\n", " ", "/", "x", "é", "漢", "\ud800"),
        JOINER,
    ]
)
TEXTS = st.one_of(st.text(max_size=8), st.lists(PIECES, max_size=5).map("".join))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
JSON: st.SearchStrategy[object] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
CONTENT = st.one_of(
    TEXTS,
    st.none(),
    st.lists(TEXTS.map(lambda text: {"type": "text", "text": text}) | st.just(image()), max_size=4),
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "developer"]), "content": CONTENT}
    ),
    max_size=4,
)


def texts_of(value: object) -> list[str]:
    """List the texts of a JSON value in order, keys left out."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for child in value.values() for text in texts_of(child)]
    return [text for child in value for text in texts_of(child)] if isinstance(value, list) else []


@given(JSON)
@example([f"<optillm_app{OPEN}x", f"{CLOSE}roach>"])
@example({OPEN: {OPEN: [OPEN]}})
@example(["</", "\n", "/optillm_approach <", "optillm_approach"])
def test_neutralising_holds_for_any_value(value: object) -> None:
    """No value raises or is touched; afterwards no tag is left, it reads the same, and twice equals once."""
    before = copy.deepcopy(value)
    cured = neutralise(value)
    assert value == before
    assert find(cured) is None
    assert neutralise(cured) is cured
    assert (cured is value) == (find(value) is None)
    assert [text.replace(JOINER, "") for text in texts_of(cured)] == [
        text.replace(JOINER, "") for text in texts_of(value)
    ]


@given(JSON, st.sampled_from(["", " ", "\n"]))
def test_no_joining_makes_a_tag_of_what_was_let_through(value: object, joint: str) -> None:
    """Joined with nothing, a space or a line end, neutralised texts hold no tag in any case or spacing."""
    joined = joint.join(texts_of(neutralise(value)))
    assert not re.search(r"<[\s/]*optillm_approach", joined, re.IGNORECASE | re.ASCII)
    assert not OPTILLMS.search(joined)


@given(MESSAGES)
@example(
    [
        {"role": "system", "content": f"<optillm_app{TAG}roach>bon{CLOSE}"},
        {"role": "user", "content": parts(OPEN, "re2" + CLOSE)},
    ]
)
def test_finds_whatever_optillm_would_obey(messages: list[dict[str, object]]) -> None:
    """Where OptiLLM's own expression finds an approach in a message, after removals too, `find` says so."""
    obeyed = any(OPTILLMS.search(text) for text in flattened(messages))
    assert not obeyed or find({"messages": messages}) is not None
    cured = neutralise({"messages": messages})
    assert isinstance(cured, dict)
    assert not any(OPTILLMS.search(text) for text in flattened(cured["messages"]))


def shortest(value: object) -> float:
    """Time `find` on a value: the shortest of some runs, in seconds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        find(value)
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param("< ", id="openings"),
        pytest.param("<optillm_approac ", id="nearly tags"),
        pytest.param("<          ", id="openings and space"),
        pytest.param("_approach<", id="second halves"),
        pytest.param("<é_approach", id="second halves beyond ASCII"),
    ],
)
def test_time_is_linear(unit: str) -> None:
    """Four times the text takes about four times as long, whatever it is made of."""
    small, large = unit * 5_000, unit * 20_000
    assert shortest(large) < 12 * shortest(small) + 0.001


def test_many_pieces_take_linear_time() -> None:
    """A conversation of unfinished openings and whole middle pieces is read once."""
    small, large = ["<opti", "l", "<", " "] * 1_000, ["<opti", "l", "<", " "] * 4_000
    assert shortest(large) < 12 * shortest(small) + 0.001


class Text(str):
    """A kind of `str`, as a callback may put into a message."""

    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [[Text(TAG)], {"content": Text(TAG)}, [{"text": Text(TAG)}], [type("Part", (dict,), {})(text=TAG)]],
    ids=["in a list", "in an object", "in a part", "a kind of object"],
)
def test_kinds_of_texts_and_objects_are_looked_at(value: object) -> None:
    """A subclass is as good as the type itself."""
    assert find(value) is not None
    assert find(neutralise(value)) is None
