"""Who runs a tool, and what of it a chat completion may have."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.optillm.tools import described, run_by_a_server, sent

CLIENTS = [
    *("function", "custom", "local_shell", "shell", "apply_patch", "computer_use_preview", "bash_20250124"),
    *("text_editor_20250728", "computer_20251124", "memory_20250818", "tool_search"),
]
SERVERS = [
    *("web_search", "web_search_preview", "web_search_20250305", "web_fetch_20250910", "file_search", "mcp"),
    *("code_interpreter", "image_generation", "code_execution_20250825", "mcp_toolset", "bash_evil", "x"),
]


@pytest.mark.parametrize("kind", CLIENTS)
def test_the_clients_tools_pass(kind: str) -> None:
    """By their types, also in a group."""
    assert run_by_a_server([{"type": kind}]) is None
    assert run_by_a_server([{"type": "namespace", "tools": [{"type": kind}]}]) is None


@pytest.mark.parametrize("kind", SERVERS)
def test_a_servers_tools_are_named(kind: str) -> None:
    """Unknown ones among them, and those in a group."""
    assert run_by_a_server([{"type": "function"}, {"type": kind}]) == kind
    assert run_by_a_server([{"type": "namespace", "tools": [{"type": kind}]}]) == kind


def test_tools_without_a_type() -> None:
    """Anthropic's functions have none, nor have Google's tools."""
    assert run_by_a_server([{"name": "f", "input_schema": {}}]) is None
    assert run_by_a_server([{"functionDeclarations": []}]) is None
    assert run_by_a_server([{"googleSearch": {}}]) == "googleSearch"


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ({"type": "function", "function": {"name": "f"}}, "f"),
        ({"type": "bash_20250124", "name": "bash"}, "bash"),
        ({"type": "text_editor_20250124", "name": "str_replace_editor"}, "str_replace_editor"),
        ({"type": "memory_20250818"}, "memory"),
        ({"type": "computer_20250124", "name": "computer"}, "computer"),
        ({"type": "computer_20251124", "name": "computer", "enable_zoom": True}, "computer"),
        ({"type": "local_shell"}, None),
    ],
)
def test_what_a_chat_may_have(tool: dict[str, Any], name: str | None) -> None:
    """Functions; Anthropic's own tools become some."""
    made = sent([tool])
    assert [one["function"]["name"] for one in made or []] == ([name] if name else [])
    assert all(one["type"] == "function" for one in made or [])


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ({"display_width_px": 1024, "display_height_px": 768}, True),
        ({"display_width_px": "wide"}, False),
        ({}, False),
    ],
    ids=["numbers", "no numbers", "none"],
)
def test_the_model_learns_the_size_of_the_screen(size: dict[str, Any], said: bool) -> None:
    """A function has no field for it, so the description has it."""
    ((tool,),) = [sent([{"type": "computer_20250124", "name": "computer", **size}]) or []]
    assert ("1024 pixels wide and 768 high" in tool["function"]["description"]) is said


def test_anthropics_tools_are_described_to_litellm() -> None:
    """Before LiteLLM makes a chat of a message: by name and schema; the others as they are."""
    own = {"name": "f", "input_schema": {}}
    assert described([own]) is None
    assert described("no list") is None
    given = [{"type": "bash_20250124", "name": "bash", "cache_control": {"type": "ephemeral"}}, own]
    made = described(given) or []
    assert len(made) == len(given)
    bash, other = made
    assert (bash["name"], set(bash["input_schema"]["properties"])) == ("bash", {"command", "restart"})
    assert bash["cache_control"] == {"type": "ephemeral"}
    assert other is own
