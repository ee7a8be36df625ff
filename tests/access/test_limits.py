"""How much one JSON body may hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.access import limits
from litellm_homelab.decision import RefusalType

TEXT = {"type": "text", "text": "x"}
USER = {"role": "user", "content": "x"}
MANY = {
    "messages": {"messages": [USER] * 21},
    "content parts": {"messages": [{"role": "user", "content": [TEXT] * 20}]},
    "parts over several messages": {"messages": [{"role": "user", "content": [TEXT] * 4}] * 5},
    "messages that are null": {"messages": [None] * 21},
    "messages that are numbers": {"messages": [1] * 21},
    "tool calls": {"messages": [{"role": "assistant", "tool_calls": [{"id": "1"}] * 20}]},
    "Responses items": {"input": [{"type": "message", "content": "x"}] * 21},
    "Responses content parts": {"input": [{"type": "message", "content": [TEXT] * 20}]},
    "Responses items of both kinds": {"input": ["x"] * 20 + [{"type": "message"}]},
    "tool output": {"input": [{"type": "function_call_output", "output": [TEXT] * 20}]},
    "system blocks": {"system": [TEXT] * 21, "messages": []},
    "tool results": {"messages": [{"content": [{"type": "tool_result", "content": [TEXT] * 20}]}]},
    "contents": {"contents": [{"parts": []}] * 21},
    "parts": {"contents": [{"parts": [{"text": "x"}] * 20}]},
    "system instruction": {"systemInstruction": {"parts": [{"text": "x"}] * 21}},
    "prompts": {"prompt": ["x"] * 21},
    "documents": {"documents": ["x"] * 21},
    "requests of a batch": {"requests": [{"content": {}}] * 21},
    "tools": {"tools": [{"type": "function"}] * 21},
    "another body": {"extra_body": {"messages": [USER] * 21}},
    "another body's input": {"extra_body": {"input": [{}] * 21}},
    "a field that nobody knows": {"x": [{}] * 21},
    "lists in lists": {"x": [[[]] * 5] * 5},
}
"""Bodies of more than 20 parts."""
FINE = {
    "nothing": {},
    "20 messages": {"messages": [USER] * 20},
    "token ids": {"prompt": [1] * 1000, "stop_token_ids": [1] * 1000},
    "texts to embed": {"input": ["x"] * limits.INPUTS},
    "token lists to embed": {"input": [[1, 2]] * limits.INPUTS},
    "one text": {"input": "x", "prompt": "x", "system": "x", "messages": "x"},
    "a schema": {"tools": [{"function": {"parameters": {"enum": ["x"] * 100, "anyOf": [{}] * 100}}}]},
    "a response format": {"response_format": {"json_schema": {"required": ["x"] * 100}}},
    "the arguments of a tool": {
        "messages": [{"content": [{"type": "tool_use", "input": {"x": [{}] * 100}}]}]
    },
    "Gemini's tools": {
        "contents": [
            {"parts": [{"functionCall": {"args": {"x": [{}] * 50}}}]},
            {"parts": [{"functionResponse": {"response": {"x": [{}] * 50}}}]},
        ]
    },
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from([*limits.NAMED, "x"]), inner),
    max_leaves=60,
)


@pytest.mark.parametrize("body", MANY.values(), ids=MANY)
def test_more_parts_than_allowed_are_refused(body: dict[str, Any]) -> None:
    """Wherever a list of messages or parts is, on every API; the refusal names the setting."""
    refused = limits.refusal(body, 20)
    assert refused is not None
    assert (refused.type, refused.status) == (RefusalType.INVALID_BODY, 400)
    assert refused.message.startswith(
        "The request has more than 20 messages and content parts (homelab.limits."
    )
    assert limits.refusal(body, 100) is None


@pytest.mark.parametrize("body", FINE.values(), ids=FINE)
def test_what_is_no_part_is_not_counted(body: dict[str, Any]) -> None:
    """Token ids, schemas and what tools take and give; texts to embed have a bound of their own."""
    assert limits.refusal(body, 20) is None


@pytest.mark.parametrize("one", ["x", [1]], ids=["texts", "token lists"])
def test_inputs_to_embed_have_a_bound_of_their_own(one: object) -> None:
    """It is OpenAI's, or the setting where that is larger."""
    refused = limits.refusal({"input": [one] * (limits.INPUTS + 1)})
    assert refused is not None
    assert (refused.param, "2048 inputs" in refused.message) == ("input", True)
    assert limits.refusal({"input": [one] * (limits.INPUTS + 1)}, limits.INPUTS + 1) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"metadata": {str(number): 1 for number in range(100_001)}}, id="keys"),
        pytest.param({"tools": [{"parameters": {"enum": ["x"] * 100_001}}]}, id="a schema"),
        pytest.param({"tools": [{"parameters": [[]] * 1000}] * 101}, id="schemas"),
    ],
)
def test_values_are_bounded_where_parts_are_not_counted(body: dict[str, Any]) -> None:
    """Fifty for each part."""
    refused = limits.refusal(body)
    assert refused is not None
    assert "100000 JSON values" in refused.message


@pytest.mark.parametrize("field", ["messages", "tools", "x"])
@pytest.mark.parametrize("kind", ["lists", "objects"])
def test_nesting_is_bounded(kind: str, field: str) -> None:
    """Whatever the field; one level less is fine."""

    def nested(levels: int) -> dict[str, Any]:
        value: Any = 0
        for _ in range(levels):
            value = [value] if kind == "lists" else {"content": value}
        return {field: value}

    assert limits.refusal(nested(limits.DEPTH - 1)) is None
    refused = limits.refusal(nested(limits.DEPTH))
    assert refused is not None
    assert refused.param == (field if field != "x" else None)


@given(body=st.dictionaries(st.text(max_size=5), JSON), parts=st.integers(1, 30))
def test_a_larger_limit_refuses_nothing_more(body: dict[str, Any], parts: int) -> None:
    """Any JSON gets an answer, and what passes with a limit passes with a larger one."""
    if limits.refusal(body, parts) is None:
        assert limits.refusal(body, parts + 1) is None


@given(body=st.dictionaries(st.text(max_size=5), JSON), parts=st.integers(1, 30), spaced=st.booleans())
def test_what_is_small_by_its_text_is_small(body: dict[str, Any], parts: int, spaced: bool) -> None:
    """Counting brackets and commas never lets through what the walk would refuse."""
    text = json.dumps(body, separators=None if spaced else (",", ":"), ensure_ascii=spaced).encode()
    assert not limits.is_within(text, parts) or limits.refusal(body, parts) is None


@pytest.mark.parametrize("name", MANY)
def test_too_many_parts_are_not_small(name: str) -> None:
    """Each body that the walk refuses is walked."""
    assert not limits.is_within(json.dumps(MANY[name]).encode(), 20)
    assert limits.is_within(json.dumps({"messages": [USER]}).encode(), 20)
    assert not limits.is_within(b"[" * (limits.DEPTH + 1))
    assert not limits.is_within(b" " * (limits.SMALL + 1))


def test_the_walk_ends_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred thousand parts, only those up to the bound are looked at."""
    looked: list[object] = []
    values = limits._values

    def counted(value: Any) -> int:
        looked.append(value)
        return values(value)

    monkeypatch.setattr(limits, "_values", counted)
    assert limits.refusal({"messages": [{"content": [TEXT] * 100}] * 1000}) is not None
    assert len(looked) <= limits.PARTS
