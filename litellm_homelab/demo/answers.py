"""What a demo backend says: a text that calls itself a demo, cut and counted like a model's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from litellm_homelab.demo import schema, sums
from litellm_homelab.demo.request_body import text_of

CREATED: Final = 1_700_000_000  # a constant, so that equal requests get equal answers
FINGERPRINT: Final = "demo"
_ECHOED_WORDS: Final = 12
_TOKENS_PER_MESSAGE: Final = 4
_PIECE = re.compile(r"\s*\S+")
_REMINDER: Final = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
"""What coding agents put into a user's message (seen with Claude Code); no user typed it."""
_ASKING: Final = r"(?:use|using|call|calling|run|invoke|try)"
_REFUSING: Final = r"(?:not|never|without|don't|dont|avoid)"
_NEAR: Final = r"(?:\s+(?:the|a|an|your|my|this|tool|function|tools|named|called|with)){0,4}\s+[`'\"]?"
THINKING: Final = "thinking"
"""What a model's name holds when it answers with its reasoning first, as the shipped `deep` does."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One choice: the text in ``pieces`` (one is one token), or a call of the tool ``tool``."""

    pieces: tuple[str, ...]
    finish_reason: str
    tool: dict[str, Any] | None = None
    reasoning: tuple[str, ...] = ()
    """What a thinking model says before it answers, in pieces as well."""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        """Completion tokens, at least 1; reasoning counts."""
        return max(1, len(self.pieces) + len(self.reasoning))


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
    """The text of one choice; it echoes the first words of the request.

    The role marks that OptiLLM puts into a flattened conversation are left out: OptiLLM would cut an answer
    that holds them at the last one, and with it the label.  The model is left out: a test that looks for
    names which a gateway lets slip can then look at whole answers.  A sum in the text is worked out.
    """
    words = [word for word in heard.split() if word not in ("User:", "Assistant:")]
    echo = " ".join(words[:_ECHOED_WORDS]) + (" ..." if len(words) > _ECHOED_WORDS else "")
    nth = f" (choice {choice + 1})" if choice else ""
    result = sums.answered(heard)
    worked_out = f" {result}." if result else ""
    return f"[demo {backend}] heard: {echo}{nth}.{worked_out} No model ran: this is an embedded demo backend."


def thoughts(heard: str) -> tuple[str, ...]:
    """The reasoning of a thinking model, in pieces."""
    return pieces_of(f"The prompt has {len(heard.split())} words. A demo has nothing to work out.")


def cut(text: str, most: int | None, stop: Sequence[str]) -> Reply:
    """Apply ``stop`` and then ``max_tokens`` to a text."""
    ends = [text.find(mark) for mark in stop if mark in text]
    pieces = pieces_of(text[: min(ends)] if ends else text)
    if most is not None and len(pieces) > most:
        return Reply(pieces[:most], "length")
    return Reply(pieces, "stop")


def tool_call(body: dict[str, Any], heard: str) -> dict[str, Any] | None:
    """The tool call to answer with, or None.

    A tool is called when ``tool_choice`` names or requires one, or when the last message is a user's and asks
    for it: "use get_weather", "call the tool `get_weather`".  It is not called for a name that is only
    mentioned, part of another word, or not to be used.  Of several where one is required it is the one that
    the message asks for, else one that takes an agent's answer, else the first.
    """
    last = body["messages"][-1].get("role")
    functions = [tool.get("function") or {} for tool in body.get("tools") or [] if isinstance(tool, dict)]
    choice = body.get("tool_choice")
    if not functions or choice == "none" or last == "tool":
        return None
    named = choice["function"].get("name") if isinstance(choice, dict) and "function" in choice else None
    names = {str(function.get("name") or ""): function for function in functions}
    wanted = [named] if named else [name for name in names if name and asks_for(name, heard)]
    if not wanted and choice in _REQUIRED:
        wanted = sorted((name for name in names if name), key=lambda name: not _ANSWERING.search(name))
    return next((_call(names[name], heard) for name in wanted if name in names), None)


_ANSWERING: Final = re.compile(r"structured.?output|final.?(?:result|answer|output)", re.IGNORECASE)
"""Tools that agents add to get an answer of a given shape (OpenCode's and pydantic-ai's names)."""
_REQUIRED: Final = ("required", "any")
"""Values of ``tool_choice`` that ask for a call: OpenAI's word and Mistral's."""


def asks_for(name: str, heard: str) -> bool:
    """Whether a text asks to use the tool ``name``, as a whole word and in so many words."""
    phrase = rf"\b{_ASKING}{_NEAR}{re.escape(name)}(?![\w.-]*\w)"
    refused = rf"\b{_REFUSING}\s+(?:\w+\s+)?{_ASKING}{_NEAR}{re.escape(name)}\b"
    return bool(re.search(phrase, heard, re.IGNORECASE)) and not re.search(refused, heard, re.IGNORECASE)


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
    heard = _REMINDER.sub("", text_of(spoken[-1].get("content"))).strip()
    reasoning = thoughts(heard) if thinks(body) else ()
    call = tool_call(body, heard)
    if call:
        return [Reply(pieces_of(call["function"]["arguments"]), "tool_calls", call, reasoning)] * count
    written = structured(body.get("response_format"), heard)
    texts = [speech(backend, heard, index) if written is None else written for index in range(count)]
    return [replace(cut(text, most, stop), reasoning=reasoning) for text in texts]


def thinks(body: dict[str, Any]) -> bool:
    """Whether the model thinks before it answers: by its name, unless the template is asked not to."""
    template = body.get("chat_template_kwargs")
    switched_off = isinstance(template, dict) and template.get("enable_thinking") is False
    return THINKING in str(body.get("model", "")) and not switched_off


def structured(response_format: object, heard: str) -> str | None:
    """The JSON text that ``response_format`` asks for, None where it asks for none."""
    asked = response_format if isinstance(response_format, dict) else {}
    if asked.get("type") == "json_object":
        return json.dumps({"demo": True, "heard": " ".join(heard.split()[:_ECHOED_WORDS])})
    if asked.get("type") == "json_schema":
        wanted = asked.get("json_schema")
        return json.dumps(schema.example(wanted.get("schema") if isinstance(wanted, dict) else None))
    return None
