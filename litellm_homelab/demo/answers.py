"""What a demo backend says: a text that calls itself a demo, cut and counted like a model's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from litellm_homelab.demo.request_body import text_of

CREATED: Final = 1_700_000_000  # a constant, so that equal requests get equal answers
FINGERPRINT: Final = "demo"
_ECHOED_WORDS: Final = 12
_TOKENS_PER_MESSAGE: Final = 4
_PIECE = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Reply:
    """One choice: the text in ``pieces`` (one is one token), or a call of the tool ``tool``."""

    pieces: tuple[str, ...]
    finish_reason: str
    tool: dict[str, Any] | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        """Completion tokens, at least 1."""
        return max(1, len(self.pieces))


def pieces_of(text: str) -> tuple[str, ...]:
    """Split a text into tokens: a word with the space before it."""
    return tuple(_PIECE.findall(text))


def prompt_tokens(texts: Sequence[str]) -> int:
    """Tokens of a prompt: its words and four for each message, so never 0."""
    return sum(len(pieces_of(text)) + _TOKENS_PER_MESSAGE for text in texts) or _TOKENS_PER_MESSAGE


def usage(prompt: int, completion: int) -> dict[str, int]:
    """OpenAI's usage object."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def identifier(prefix: str, *parts: object) -> str:
    """An id that is the same for the same request."""
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    return f"{prefix}-demo-{digest[:20]}"


def speech(backend: str, heard: str, choice: int) -> str:
    """The text of one choice; it echoes the first words it heard.

    The role marks that OptiLLM puts into a flattened conversation are left out: OptiLLM would cut an answer
    that holds them at the last one, and with it the label.  The model is left out: a test that looks for
    names which a gateway lets slip can then look at whole answers.
    """
    words = [word for word in heard.split() if word not in ("User:", "Assistant:")]
    echo = " ".join(words[:_ECHOED_WORDS]) + (" ..." if len(words) > _ECHOED_WORDS else "")
    nth = f" (choice {choice + 1})" if choice else ""
    return f"[demo {backend}] heard: {echo}{nth}. No model ran: this is an embedded demo backend."


def cut(text: str, most: int | None, stop: Sequence[str]) -> Reply:
    """Apply ``stop`` and then ``max_tokens`` to a text."""
    ends = [text.find(mark) for mark in stop if mark in text]
    pieces = pieces_of(text[: min(ends)] if ends else text)
    if most is not None and len(pieces) > most:
        return Reply(pieces[:most], "length")
    return Reply(pieces, "stop")


def tool_call(body: dict[str, Any], heard: str) -> dict[str, Any] | None:
    """The tool call to answer with, or None.

    A tool is called when ``tool_choice`` names or requires one, or when the last message is a user's and
    mentions its name.
    """
    last = body["messages"][-1].get("role")
    functions = [tool.get("function") or {} for tool in body.get("tools") or [] if isinstance(tool, dict)]
    choice = body.get("tool_choice")
    if not functions or choice == "none" or last == "tool":
        return None
    named = choice["function"].get("name") if isinstance(choice, dict) and "function" in choice else None
    for function in functions:
        name = function.get("name", "")
        if name == named or (name and not named and (choice == "required" or name in heard)):
            return _call(function, heard)
    return None


def _call(function: dict[str, Any], heard: str) -> dict[str, Any]:
    parameters = function.get("parameters") or {}
    properties = parameters.get("properties") or {}
    wanted = parameters.get("required") or list(properties)
    arguments = {name: _argument(properties.get(name) or {}, heard) for name in wanted}
    name = function["name"]
    return {
        "id": identifier("call", name, heard),
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments)},
    }


def _argument(schema: dict[str, Any], heard: str) -> object:
    if schema.get("enum"):
        return schema["enum"][0]
    plain: dict[str, object] = {
        "integer": 1,
        "number": 1.5,
        "boolean": True,
        "array": [],
        "object": {},
        "null": None,
    }
    return plain.get(str(schema.get("type")), (heard.split() or ["demo"])[-1].strip(".,!?"))


def chat_replies(
    backend: str, body: dict[str, Any], count: int, most: int | None, stop: Sequence[str]
) -> list[Reply]:
    """The ``count`` choices of a chat answer."""
    spoken = [item for item in body["messages"] if item.get("role") in ("user", "tool")] or body["messages"]
    heard = text_of(spoken[-1].get("content"))
    call = tool_call(body, heard)
    if call:
        return [Reply(pieces_of(call["function"]["arguments"]), "tool_calls", call)] * count
    return [cut(speech(backend, heard, index), most, stop) for index in range(count)]
