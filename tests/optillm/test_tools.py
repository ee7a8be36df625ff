"""Who runs a tool, and what of it a chat completion may have."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.optillm.tools import run_by_a_server, sent

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
        ({"type": "local_shell"}, None),
    ],
)
def test_what_a_chat_may_have(tool: dict[str, Any], name: str | None) -> None:
    """Functions; Anthropic's own tools become some."""
    made = sent([tool])
    assert [one["function"]["name"] for one in made or []] == ([name] if name else [])
    assert all(one["type"] == "function" for one in made or [])
