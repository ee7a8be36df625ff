"""Texts, tokens and tool calls of the chat backends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.demo import answers

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
        pytest.param("hello", {"tool_choice": "required"}, "other", id="required"),
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
    call = answers.tool_call({"messages": [{"role": "user"}], "tools": [WEATHER]}, "get_weather in Bern!")
    assert call is not None
    assert json.loads(call["function"]["arguments"]) == {"city": "Bern", "days": 1, "unit": "C"}


def test_tool_result_is_answered_with_text() -> None:
    """Once the tool's result is there, the answer is a text about it."""
    messages = [{"role": "user", "content": "get_weather"}, {"role": "tool", "content": "get_weather: sunny"}]
    reply = answers.chat_replies(
        "mlx", {"model": "m", "messages": messages, "tools": [WEATHER]}, 1, None, ()
    )[0]
    assert "heard: get_weather: sunny." in reply.text
