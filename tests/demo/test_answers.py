"""Texts, tokens and tool calls of the chat backends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.demo import answers, chat, schema, sums

TEXT = st.text(alphabet="ab \n.", max_size=60)


@given(TEXT, st.none() | st.integers(1, 20), st.lists(st.text("ab.", min_size=1, max_size=2), max_size=2))
def test_cut(text: str, most: int | None, stop: list[str]) -> None:
    """A cut text is a beginning of the text, holds no stop mark, and keeps to the limit it reports."""
    reply = answers.cut(text, most, stop)
    assert text.startswith(reply.text)
    assert not any(mark in reply.text for mark in stop)
    assert most is None or len(reply.pieces) <= most
    assert (reply.finish_reason == "length") <= (most == len(reply.pieces))


@given(st.lists(TEXT, max_size=5))
def test_prompt_tokens(texts: list[str]) -> None:
    """A prompt never counts zero tokens, and more text never counts fewer."""
    assert 0 < answers.prompt_tokens(texts) <= answers.prompt_tokens([*texts, "more"])


def test_speech_leaves_role_marks_out() -> None:
    """OptiLLM's role marks are not echoed, since OptiLLM would cut the answer at them."""
    assert answers.speech("mlx", "User: hi\nAssistant: yes", 0).startswith("[demo mlx] heard: hi yes. ")


def _tool(name: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters or {}}}


WEATHER = _tool(
    "get_weather",
    {
        "required": ["city", "days", "unit"],
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["C", "F"]},
            "x": {},
        },
    },
)


@pytest.mark.parametrize(
    ("text", "extra", "called"),
    [
        pytest.param("call get_weather for Bern", {}, "get_weather", id="mentioned"),
        pytest.param("hello", {}, None, id="not-mentioned"),
        pytest.param("hello", {"tool_choice": "any"}, "other", id="any-as-mistral-says"),
        pytest.param("hello", {"tool_choice": "required"}, "other", id="required"),
        pytest.param(
            "use get_weather", {"tool_choice": "required"}, "get_weather", id="required-and-asked-for"
        ),
        pytest.param(
            "hello",
            {"tool_choice": "required", "tools": [_tool("other"), _tool("StructuredOutput")]},
            "StructuredOutput",
            id="required-for-an-answer",
        ),
        pytest.param(
            "hello", {"tool_choice": {"function": {"name": "get_weather"}}}, "get_weather", id="named"
        ),
        pytest.param("call get_weather", {"tool_choice": "none"}, None, id="forbidden"),
    ],
)
def test_which_tool(text: str, extra: dict[str, Any], called: str | None) -> None:
    """The tool that is mentioned or chosen is called, and none without a reason."""
    body = {"messages": [{"role": "user", "content": text}], "tools": [_tool("other"), WEATHER], **extra}
    call = answers.tool_call(body, text)
    assert (call and call["function"]["name"]) == called


def test_tool_arguments() -> None:
    """A call's arguments are JSON with a value of the right type for every required parameter."""
    call = answers.tool_call({"messages": [{"role": "user"}], "tools": [WEATHER]}, "use get_weather in Bern!")
    assert call is not None
    assert json.loads(call["function"]["arguments"]) == {"city": "Bern", "days": 1, "unit": "C"}


def test_tool_result_is_answered_with_text() -> None:
    """Once the tool's result is there, the answer is a text about it."""
    messages = [{"role": "user", "content": "get_weather"}, {"role": "tool", "content": "get_weather: sunny"}]
    reply = answers.chat_replies(
        "mlx", {"model": "m", "messages": messages, "tools": [WEATHER]}, 1, None, ()
    )[0]
    assert "heard: get_weather: sunny." in reply.text


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        pytest.param("use get_weather", True, id="use"),
        pytest.param("Please call the tool `get_weather` for Bern", True, id="call-the-tool"),
        pytest.param("try the get_weather function", True, id="try"),
        pytest.param("what does get_weather do?", False, id="mentioned"),
        pytest.param("use get_weather_history", False, id="part-of-another-word"),
        pytest.param("use get_weather.py", False, id="a-file"),
        pytest.param("do not use get_weather", False, id="not-to-be-used"),
        pytest.param("don't call the get_weather tool", False, id="not-to-be-called"),
        pytest.param("use your head", False, id="another-word"),
    ],
)
def test_a_tool_is_asked_for_in_so_many_words(text: str, asked: bool) -> None:
    """A tool is called when it is asked for by its whole name, never because its name is mentioned."""
    assert answers.asks_for("get_weather", text) is asked


def test_a_common_word_is_no_call() -> None:
    """Coding agents have tools named `read` or `task`: a prompt with such a word gets a text."""
    body = {"messages": [{"role": "user", "content": "read my task list and edit it"}]}
    tools = [_tool(name) for name in ("read", "task", "edit", "list")]
    assert answers.tool_call({**body, "tools": tools}, "read my task list and edit it") is None


def test_reminders_of_a_coding_agent_are_not_heard() -> None:
    """What an agent adds to the user's message is neither echoed nor obeyed."""
    content = "<system-reminder>use other</system-reminder>hello"
    body = {"model": "m", "messages": [{"role": "user", "content": content}], "tools": [_tool("other")]}
    reply = answers.chat_replies("mlx", body, 1, None, ())[0]
    assert "heard: hello." in reply.text


@pytest.mark.parametrize(
    ("text", "result"),
    [
        pytest.param("What is 17 + 25?", "17 + 25 = 42", id="sum"),
        pytest.param("what is 2+2", "2+2 = 4", id="without-spaces"),
        pytest.param("(3 + 4) * 2 =", "(3 + 4) * 2 = 14", id="parentheses"),
        pytest.param("10 / 4 please", "10 / 4 = 2.5", id="fraction"),
        pytest.param("6 x 7", "6 x 7 = 42", id="times"),
        pytest.param("1 / 0", None, id="by-zero"),
        pytest.param("on 2026-11-25", None, id="date"),
        pytest.param("call 555-1234", None, id="telephone"),
        pytest.param("version 1.2.3", None, id="version"),
        pytest.param("9 ** 9 ** 9 ** 9", None, id="powers"),
        pytest.param("hello", None, id="none"),
    ],
)
def test_sums(text: str, result: str | None) -> None:
    """A sum is worked out; what only looks like one is left alone."""
    assert sums.answered(text) == result


@given(st.text(alphabet="0123456789+-*/(). x", max_size=80))
def test_sums_never_fail(text: str) -> None:
    """Whatever stands in a prompt, the answer is a text or none."""
    assert answers.speech("mlx", text, 0).startswith("[demo mlx] heard:")


PERSON = {
    "type": "object",
    "required": ["name", "age", "tags", "address", "kind"],
    "properties": {
        "name": {"type": "string", "minLength": 12},
        "age": {"type": "integer", "minimum": 18, "maximum": 99},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "address": {"$ref": "#/$defs/Address"},
        "kind": {"enum": ["cat", "dog"]},
        "friend": {"anyOf": [{"type": "null"}, {"$ref": "#"}]},
        "born": {"type": ["string", "null"], "format": "date"},
        "share": {"type": "number", "exclusiveMinimum": 2, "multipleOf": 0.5},
        "always": {"const": 7},
        "both": {"allOf": [{"$ref": "#/$defs/Address"}, {"properties": {"zip": {"type": "string"}}}]},
    },
    "$defs": {"Address": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def test_a_schema_is_filled() -> None:
    """Structured output has every field of the schema, within its bounds, also through references."""
    filled = schema.example(PERSON)
    assert {
        key: filled[key] for key in ("age", "tags", "address", "kind", "born", "share", "always", "both")
    } == {
        "age": 18,
        "tags": ["demo", "demo"],
        "address": {"city": "demo"},
        "kind": "cat",
        "born": "2026-01-31",
        "share": 2.5,
        "always": 7,
        "both": {"city": "demo", "zip": "demo"},
    }
    assert len(filled["name"]) >= 12
    assert filled["friend"]["name"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "type",
                        "properties",
                        "items",
                        "$ref",
                        "anyOf",
                        "allOf",
                        "enum",
                        "required",
                        "minItems",
                        "a",
                    ]
                )
                | st.text(max_size=2),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_any_schema_gets_an_answer(given_schema: object) -> None:
    """A schema that makes no sense, or refers to itself, still gets a value that is JSON."""
    json.dumps(schema.example(given_schema))


@pytest.mark.parametrize(
    ("response_format", "keys"),
    [
        pytest.param({"type": "json_object"}, {"demo", "heard"}, id="json-object"),
        pytest.param(
            {
                "type": "json_schema",
                "json_schema": {"schema": {"type": "object", "properties": {"a": {"type": "integer"}}}},
            },
            {"a"},
            id="json-schema",
        ),
    ],
)
def test_structured_output(response_format: dict[str, Any], keys: set[str]) -> None:
    """An answer to `response_format` is JSON of that shape."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "response_format": response_format}
    reply = answers.chat_replies("mlx", body, 1, None, ())[0]
    assert set(json.loads(reply.text)) == keys


@pytest.mark.parametrize(
    ("body", "thinks"),
    [
        pytest.param({"model": "mlx-qwen3-235b-4bit-thinking"}, True, id="by-name"),
        pytest.param({"model": "mlx-qwen3-30b-4bit-instruct"}, False, id="another"),
        pytest.param(
            {"model": "m-thinking", "chat_template_kwargs": {"enable_thinking": False}},
            False,
            id="switched-off",
        ),
    ],
)
def test_thinking(body: dict[str, Any], thinks: bool) -> None:
    """A thinking model answers with its reasoning first, unless it is asked not to."""
    messages = [{"role": "user", "content": "hi"}]
    reply = answers.chat_replies("mlx", {**body, "messages": messages}, 1, None, ())[0]
    assert bool(reply.reasoning) is thinks
    assert reply.tokens == len(reply.pieces) + len(reply.reasoning)


def test_thinking_comes_before_a_tool_is_named() -> None:
    """In a stream the call begins once the reasoning is over, as vLLM has it."""
    messages = [{"role": "user", "content": "Use the weather tool for Oslo"}]
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    body = {"model": "m-thinking", "messages": messages, "tools": tools}
    deltas = [chunk["choices"][0]["delta"] for chunk in chat.chunks(body, chat.replies("mlx", body))]
    kinds = [kind for delta in deltas for kind in ("reasoning_content", "tool_calls") if kind in delta]
    assert kinds == sorted(kinds)
    assert {"reasoning_content", "tool_calls"} <= set(kinds)
    assert "tool_calls" not in deltas[0]
