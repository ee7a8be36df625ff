"""
Who runs a tool: the client, which gets a call by name and arguments, or a server.

OptiLLM hands tools to the model and the model's calls to the client; it runs none.  Client-side types: the
OpenAI API reference (tools of responses) and Anthropic's documentation of its tools, read on 2026-11-25.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

FUNCTION: Final = "function"
CLIENTS: Final = frozenset(
    {FUNCTION, "custom", "namespace", "local_shell", "shell", "apply_patch", "computer", "tool_search"}
    | {"computer_use", "computer_use_preview"}
)
"""
Types of tools that the client runs.

LiteLLM 1.106.2 makes functions of functions, `custom` and what is in a `namespace`, and leaves out the
others on its way from /v1/responses to a chat.
"""
ANTHROPICS: Final = re.compile(r"(?:bash|text_editor|computer|memory)_\d{8}")
"""Anthropic's client-side tools; their types end with a date, as do those that run at Anthropic."""
SENT: Final = frozenset({FUNCTION, "custom"})
"""Types of tools that a chat completion has."""
LONGEST: Final = 60


def run_by_a_server(tools: object) -> str | None:
    """The type of the first tool that a server would run; None where the client runs them all."""
    for tool in tools if isinstance(tools, list) else ():
        found = _server(tool) if isinstance(tool, Mapping) else None
        if found is not None:
            return found[:LONGEST]
    return None


def _server(tool: Mapping[str, Any]) -> str | None:
    kind = tool.get("type")
    if kind is None:
        others = [key for key in tool if key in SERVERS]
        return others[0] if others else None
    if not isinstance(kind, str):
        return str(kind)
    if kind not in CLIENTS and not ANTHROPICS.fullmatch(kind):
        return kind
    return run_by_a_server(tool.get("tools")) if kind == "namespace" else None


SERVERS: Final = frozenset(
    {"googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "codeExecution"}
    | {"code_execution", "urlContext", "url_context", "fileSearch", "file_search", "googleMaps", "retrieval"}
    | {"google_maps", "enterpriseWebSearch", "enterprise_web_search", "computerUse", "computer_use"}
)
"""Keys of Gemini's tools, which have no type, that Google runs."""


def sent(tools: object) -> list[Any] | None:
    """
    The tools that a chat completion may have; None where there is none of them.

    Anthropic's client-side tools become functions: LiteLLM 1.106.2 hands them on as they are, and no server
    but Anthropic's knows them.
    """
    if not isinstance(tools, list):
        return None
    mappings = (tool for tool in tools if isinstance(tool, Mapping))
    kept = [_as_function(tool) for tool in mappings if _is_sent(tool.get("type", FUNCTION))]
    return kept or None


def is_plain(tools: object) -> bool:
    """Whether every tool is one that a chat completion has; anything but a list is LiteLLM's to refuse."""
    if not isinstance(tools, list):
        return True
    return all(isinstance(tool, Mapping) and tool.get("type", FUNCTION) in tuple(SENT) for tool in tools)


def _is_sent(kind: object) -> bool:
    return isinstance(kind, str) and (kind in SENT or ANTHROPICS.fullmatch(kind) is not None)


def described(tools: object) -> list[Any] | None:
    """
    Return `tools` with Anthropic's client-side tools described as a client's own; None without any of them.

    LiteLLM 1.106.2 makes a function of `computer_*` whose parameters are the size of the screen, and nothing
    of what the model may ask for.
    """
    if not isinstance(tools, list) or not any(_is_anthropics(tool) for tool in tools):
        return None
    return [_as_custom(tool) if _is_anthropics(tool) else tool for tool in tools]


def _is_anthropics(tool: object) -> bool:
    return isinstance(tool, Mapping) and ANTHROPICS.fullmatch(str(tool.get("type"))) is not None


def _as_custom(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The tool by name, description and schema, and what else every tool may have."""
    stem = str(tool["type"]).rpartition("_")[0]
    properties, required = SCHEMAS[stem]
    return {
        "name": str(tool.get("name") or stem),
        "description": DESCRIPTIONS[stem] + _screen(tool),
        "input_schema": {"type": "object", "properties": properties, "required": required},
        **({"cache_control": tool["cache_control"]} if "cache_control" in tool else {}),
    }


def _as_function(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    if tool.get("type", FUNCTION) in SENT:
        return tool
    custom = _as_custom(tool)
    function = {"name": custom["name"], "description": custom["description"]}
    return {"type": FUNCTION, "function": {**function, "parameters": custom["input_schema"]}}


def _screen(tool: Mapping[str, Any]) -> str:
    """Return a sentence with the size of the screen, which coordinates are worth nothing without."""
    width, height = tool.get("display_width_px"), tool.get("display_height_px")
    known = isinstance(width, int) and isinstance(height, int)
    return f" The screen is {width} pixels wide and {height} high." if known else ""


_TEXT: Final = {"type": "string"}
_NUMBERS: Final = {"type": "array", "items": {"type": "integer"}}
_EDITING: Final = {
    "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert"]}, "path": _TEXT,
    "file_text": _TEXT, "old_str": _TEXT, "new_str": _TEXT, "insert_line": {"type": "integer"},
    "insert_text": _TEXT, "view_range": _NUMBERS,
}  # fmt: skip
_ACTIONS: Final = (
    "screenshot", "key", "type", "mouse_move", "left_click", "right_click", "middle_click", "double_click",
    "triple_click", "left_click_drag", "left_mouse_down", "left_mouse_up", "scroll", "hold_key", "wait",
    "cursor_position",
)  # fmt: skip
_COMPUTER: Final = {
    "action": {"type": "string", "enum": [*_ACTIONS, "zoom"]}, "coordinate": _NUMBERS,
    "start_coordinate": _NUMBERS, "text": _TEXT, "duration": {"type": "number"},
    "scroll_direction": {"type": "string", "enum": ["up", "down", "left", "right"]},
    "scroll_amount": {"type": "integer"}, "region": _NUMBERS,
}  # fmt: skip
SCHEMAS: Final[Mapping[str, tuple[Mapping[str, Any], list[str]]]] = {
    "bash": ({"command": _TEXT, "restart": {"type": "boolean"}}, []),
    "text_editor": (_EDITING, ["command", "path"]),
    "memory": ({**_EDITING, "command": _TEXT, "old_path": _TEXT, "new_path": _TEXT}, ["command"]),
    "computer": (_COMPUTER, ["action"]),
}
"""Arguments that Anthropic documents for its client-side tools; its own models know them by heart."""
DESCRIPTIONS: Final[Mapping[str, str]] = {
    "bash": "Run a command in a shell of the user's machine.",
    "text_editor": "View and edit text files on the user's machine.",
    "memory": "View and edit the files of the folder /memories.",
    "computer": "Look at the user's screen, and use mouse and keyboard.",
}
