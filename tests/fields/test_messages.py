"""The form of conversations: what ordinary clients send passes, what no server could read is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.fields.messages import refusal

USER = {"role": "user", "content": "hi"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("chat", {"messages": [{"role": "system", "content": "s"}, USER]}),
    "parts": ("chat", {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}),
    "calls": ("chat", {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]}),
    "no content": ("chat", {"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}]}),
    "a tool": ("chat", {"messages": [USER, {"role": "tool", "tool_call_id": "c", "content": ""}]}),
    "developer": ("chat", {"messages": [{"role": "developer", "content": "d"}]}),
    "input": ("responses", {"input": "hi"}),
    "items": ("responses", {"input": [USER, {"type": "function_call_output", "call_id": "c", "output": ""}]}),
    "reasoning": (
        "responses",
        {"input": [{"type": "reasoning", "summary": []}, {**USER, "type": "message"}]},
    ),
    "Cursor's": ("responses", {"messages": [USER]}),
    "Anthropic's": ("messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}),
    "results": (
        "messages",
        {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]},
    ),
    "Google's": ("generate", {"contents": [{"parts": [{"text": "hi"}]}, {"role": "model", "parts": []}]}),
    "one content": ("generate", {"contents": {"parts": {"text": "hi"}}}),
    "prompt": ("completions", {"prompt": ["a", "b"]}),
    "tokens": ("completions", {"prompt": [1, 2]}),
    "no prompt": ("completions", {}),
    "embeddings": ("embeddings", {"input": ["a"]}),
    "another API": ("speech", {"input": 5}),
}
BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "no messages": ("chat", {}, "messages"),
    "no list": ("messages", {"messages": "hi"}, "messages"),
    "no message": ("chat", {"messages": []}, "messages"),
    "null in a list": ("chat", {"messages": [USER, None]}, "messages[1]"),
    "a role": ("chat", {"messages": [{"role": ["user"], "content": ""}]}, "messages[0].role"),
    "an unknown role": ("messages", {"messages": [{"role": "robot", "content": ""}]}, "messages[0].role"),
    "true": ("chat", {"messages": [{"role": "user", "content": True}]}, "messages[0].content"),
    "a tool's": ("chat", {"messages": [{"role": "tool", "content": 5}]}, "messages[0].content"),
    "a text": (
        "chat",
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]},
        "messages[0].content[0].text",
    ),
    "calls": (
        "chat",
        {"messages": [{"role": "assistant", "content": "", "tool_calls": "f"}]},
        "messages[0].tool_calls",
    ),
    "no input": ("responses", {}, "input"),
    "an item": ("responses", {"input": ["hi"]}, "input[0]"),
    "an item's role": ("responses", {"input": [{"content": "hi"}]}, "input[0].role"),
    "an item's type": ("responses", {"input": [{"type": 5}]}, "input[0].type"),
    "contents": ("generate", {"contents": 5}, "contents"),
    "Google's parts": ("generate", {"contents": [{"parts": "hi"}]}, "contents[0].parts"),
    "Google's role": ("generate", {"contents": [{"role": "robot", "parts": []}]}, "contents[0].role"),
    "prompt": ("completions", {"prompt": {}}, "prompt"),
    "embeddings": ("embeddings", {"input": 5}, "input"),
}


@pytest.mark.parametrize(("api", "body"), GOOD.values(), ids=GOOD.keys())
def test_what_clients_send_passes(api: str, body: dict[str, Any]) -> None:
    """In every API's own form."""
    assert refusal(api, body) is None


@pytest.mark.parametrize(("api", "body", "place"), BAD.values(), ids=BAD.keys())
def test_what_nobody_could_read_is_refused(api: str, body: dict[str, Any], place: str) -> None:
    """With its place, what was expected there and what it is."""
    found = refusal(api, body)
    assert found is not None
    assert (found.type, found.status, found.param) == ("invalid_request_error", 400, place)
    assert found.message.startswith(f"{place}: expected ")
    assert ", got " in found.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(["messages", "input", "contents", "prompt"]), JSON)


@given(api=st.sampled_from(["chat", "messages", "responses", "generate", "completions"]), body=BODIES)
def test_no_body_breaks_the_rule(api: str, body: dict[str, Any]) -> None:
    """Whatever is in it: an answer."""
    refusal(api, body)
