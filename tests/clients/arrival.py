"""What becomes of a client's fields on the way to a backend that speaks /v1/chat/completions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

NESTED = ("text", "reasoning", "output_config", "generationConfig", "thinkingConfig", "metadata")
"""Fields that LiteLLM takes apart, so that each of their own fields has another end."""
NAMES: Mapping[str, str] = {
    # /v1/completions, which reaches a chat server as a chat
    "prompt": "messages",
    # /v1/responses
    "input": "messages",
    "instructions": "messages",
    "max_output_tokens": "max_tokens",
    "text.format": "response_format",
    "text.verbosity": "verbosity",
    "reasoning.effort": "reasoning_effort",
    # /v1/messages
    "system": "messages",
    "stop_sequences": "stop",
    "thinking": "reasoning_effort",
    "output_config.effort": "reasoning_effort",
    "output_config.format": "response_format",
    # /v1beta/models/{model}:generateContent
    "contents": "messages",
    "systemInstruction": "messages",
    "generationConfig.temperature": "temperature",
    "generationConfig.topP": "top_p",
    "generationConfig.topK": "top_k",
    "generationConfig.maxOutputTokens": "max_tokens",
    "generationConfig.stopSequences": "stop",
    "generationConfig.seed": "seed",
    "generationConfig.responseSchema": "response_format",
    "generationConfig.responseJsonSchema": "response_format",
    "generationConfig.responseMimeType": "response_format",
}
"""What a field is called in a chat request, where it has another name there."""
SPOKEN = (
    "content",
    "text",
    "input",
    "prompt",
    "instructions",
    "description",
    "data",
    "image_url",
    "url",
    "name",
)
"""Keys whose text must reach the backend wherever it is in a conversation, a tool or a schema."""


def lost(body: Mapping[str, Any], wire: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Return the fields of `body`, dotted where nested, that did not reach the backend.

    A number, a switch or a word arrives unchanged; a conversation, tool or schema with every text in it.
    """
    sent = json.dumps(wire, ensure_ascii=False)
    return tuple(name for name, value in fields(body) if not _arrived(name, value, wire, sent))


def fields(body: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each field of a body with its value, without `model`, empty lists and `stream: false`."""
    for name, value in body.items():
        if name in NESTED and isinstance(value, dict) and value:
            yield from fields(value, f"{prefix}{name}.")
        elif name != "model" and value != [] and (name, value) != ("stream", False):
            yield prefix + name, value


def _arrived(name: str, value: Any, wire: Mapping[str, Any], sent: str) -> bool:
    counterpart = name if name in wire else NAMES.get(name, name)
    if counterpart not in wire:
        return False
    if isinstance(value, dict | list) or counterpart in ("messages", "response_format"):
        return all(text in sent for text in _texts(value))
    return bool(wire[counterpart] == value) or name == "thinking"


def _texts(value: Any, key: str = "content") -> Iterator[str]:
    """Yield, as JSON has them, the texts of a conversation, tool or schema and the names in a schema."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, name)
        if key == "properties":
            yield from (json.dumps(name) for name in value)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, key)
    elif isinstance(value, str) and key in SPOKEN:
        yield json.dumps(value, ensure_ascii=False)[1:-1]
