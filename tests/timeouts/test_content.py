"""What an event of each API says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.timeouts.content import has_text, said


def _delta(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
CONTENT: dict[str, Any] = {
    "chat text": _delta(content="hi"),
    "chat white space": _delta(content="\n"),
    "chat reasoning": _delta(reasoning_content="hm"),
    "chat reasoning, OpenRouter": _delta(reasoning="hm"),
    "chat tool call": _delta(tool_calls=[CALL]),
    "chat function call": _delta(function_call={"name": "f"}),
    "chat audio": _delta(audio={"data": "aGk="}),
    "chat refusal": _delta(refusal="no"),
    "chat image": _delta(images=[{"image_url": {"url": "data:x"}}]),
    "chat second choice": {"choices": [{"delta": {"content": ""}}, {"delta": {"content": "hi"}}]},
    "completions": {"choices": [{"text": "hi"}]},
    "responses text": {"type": "response.output_text.delta", "delta": "hi"},
    "responses refusal": {"type": "response.refusal.delta", "delta": "no"},
    "responses reasoning": {"type": "response.reasoning_summary_text.delta", "delta": "hm"},
    "responses arguments": {"type": "response.function_call_arguments.delta", "delta": "{"},
    "responses call": {
        "type": "response.output_item.added",
        "item": {"type": "function_call", "name": "f", "arguments": ""},
    },
    "responses image": {"type": "response.image_generation_call.partial_image", "partial_image_b64": "aGk="},
    "messages text": {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hi"}},
    "messages thinking": {
        "type": "content_block_delta",
        "delta": {"type": "thinking_delta", "thinking": "hm"},
    },
    "messages arguments": {
        "type": "content_block_delta",
        "delta": {"type": "input_json_delta", "partial_json": "{"},
    },
    "messages tool": {
        "type": "content_block_start",
        "content_block": {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
    },
    "gemini text": {"candidates": [{"content": {"parts": [{"text": "hi"}]}}]},
    "gemini thought": {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}}]},
    "gemini call": {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {}}}]}}]},
    "gemini image": {"candidates": [{"content": {"parts": [{"inlineData": {"data": "aGk="}}]}}]},
    "ollama chat": {"message": {"role": "assistant", "content": "hi"}, "done": False},
    "ollama thinking": {"message": {"role": "assistant", "content": "", "thinking": "hm"}, "done": False},
    "ollama call": {"message": {"content": "", "tool_calls": [{"function": {"name": "f"}}]}, "done": False},
    "ollama generate": {"response": "hi", "done": False},
}
SILENT: dict[str, Any] = {
    "chat role": _delta(role="assistant", content=""),
    "chat null": _delta(role="assistant", content=None, reasoning_content=None, tool_calls=None),
    "chat nothing": _delta(),
    "chat no choice": {"choices": []},
    "chat usage": {"choices": [], "usage": {"total_tokens": 3}},
    "chat call without a name": _delta(tool_calls=[{**CALL, "function": {"name": "", "arguments": ""}}]),
    "llama.cpp progress": {"choices": [{"delta": {"content": None}}], "prompt_progress": {"total": 9}},
    "completions": {"choices": [{"text": "", "finish_reason": None}]},
    "responses created": {"type": "response.created", "response": {"id": "r", "output": []}},
    "responses item": {"type": "response.output_item.added", "item": {"type": "message", "content": []}},
    "responses part": {"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}},
    "responses empty": {"type": "response.output_text.delta", "delta": ""},
    "messages start": {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": []}},
    "messages ping": {"type": "ping"},
    "messages block": {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
    "messages signature": {
        "type": "content_block_delta",
        "delta": {"type": "signature_delta", "signature": "x"},
    },
    "gemini empty": {"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}}]},
    "gemini usage": {"usageMetadata": {"totalTokenCount": 3}},
    "gemini signature": {"candidates": [{"content": {"parts": [{"text": "", "thoughtSignature": "x"}]}}]},
    "ollama": {"message": {"role": "assistant", "content": ""}, "done": False},
    "a list": [1, 2],
    "a number": 1,
}
FINISH: dict[str, tuple[Any, str]] = {
    "chat": ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, "stop"),
    "chat length": ({"choices": [{"delta": {}, "finish_reason": "length"}]}, "length"),
    "responses": ({"type": "response.completed", "response": {"output": []}}, "completed"),
    "responses cut": ({"type": "response.incomplete", "response": {"output": []}}, "incomplete"),
    "messages": ({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, "end_turn"),
    "messages stop": ({"type": "message_stop"}, "stop"),
    "gemini": ({"candidates": [{"finishReason": "STOP"}]}, "stop"),
    "gemini blocked": ({"promptFeedback": {"blockReason": "SAFETY"}}, "content_filter"),
    "ollama": ({"message": {"content": ""}, "done": True, "done_reason": "length"}, "length"),
    "ollama, old": ({"response": "", "done": True}, "stop"),
}
ERRORS: dict[str, Any] = {
    "openai": {"error": {"message": "x", "code": 500}},
    "openrouter": {"error": {"code": 502}, "choices": [{"delta": {"content": ""}, "finish_reason": "error"}]},
    "responses": {"type": "error", "message": "x"},
    "responses failed": {"type": "response.failed", "response": {"error": {"message": "x"}}},
    "messages": {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
    "gemini": {"error": {"code": 503, "message": "x", "status": "UNAVAILABLE"}},
    "ollama": {"error": "x"},
}


@pytest.mark.parametrize("name", CONTENT)
def test_content(name: str) -> None:
    """Text, reasoning, calls of tools, audio, pictures and refusals are content."""
    found = said(CONTENT[name])
    assert (found.content, found.finish, found.error) == (True, None, None)


@pytest.mark.parametrize("name", SILENT)
def test_no_content(name: str) -> None:
    """Roles, empty texts, usage, pings and signatures are none."""
    found = said(SILENT[name])
    assert (found.content, found.finish, found.error) == (False, None, None)


@pytest.mark.parametrize("name", FINISH)
def test_the_end(name: str) -> None:
    """Each API says in its own way that an answer ends, and why."""
    document, reason = FINISH[name]
    found = said(document)
    assert (found.content, found.finish) == (False, reason)


@pytest.mark.parametrize("name", ERRORS)
def test_an_error(name: str) -> None:
    """An error event is an error whatever else is in it."""
    assert said(ERRORS[name]).error == ERRORS[name]


VALUES = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["", "x", "error"]), lambda inner: st.lists(inner, max_size=2)
)
MESSAGES = VALUES | st.dictionaries(st.sampled_from(["content", "role"]), VALUES, max_size=2)
CHOICES = VALUES | st.lists(
    st.dictionaries(st.sampled_from(["message", "delta", "text"]), MESSAGES), max_size=2
)


@given(st.dictionaries(st.sampled_from(["choices", "error", "type", "object"]), CHOICES, max_size=4))
def test_what_surely_has_a_text_has_content_and_no_error(document: dict[str, Any]) -> None:
    """The short way finds nothing that the whole look does not."""
    if has_text(document):
        found = said(document)
        assert found.content
        assert found.error is None


def test_an_ordinary_answer_takes_the_short_way() -> None:
    """A chat completion with a text; not one that only calls a tool, which the whole look knows."""
    assert has_text({"id": "1", "choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]})
    assert not has_text({"choices": [{"message": {"content": None, "tool_calls": [{"id": "1"}]}}]})
    assert not has_text({"choices": []})
    assert not has_text(None)
