"""How many tokens a request may use, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PROMPTS: Final = ("messages", "input", "prompt", "system", "tools", "contents", "instructions")
"""Fields whose texts the model reads."""
LIMITS: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens")
CHARACTERS: Final = 4
"""Characters of a token: of English text, and roughly of JSON."""
ANSWER: Final = 512
"""Tokens of an answer whose length the request does not limit."""
DEPTH: Final = 12
TEXT_OF_DATA: Final = 2048
"""Characters that a longer text without spaces counts for: a picture in base64 is not read as text."""


def tokens(kwargs: Mapping[str, Any]) -> int:
    """The estimate for a request's arguments: its texts, and the longest answer that it allows."""
    prompt = sum(_characters(kwargs.get(name), DEPTH) for name in PROMPTS)
    limits = [value for name in LIMITS if isinstance(value := kwargs.get(name), int) and value > 0]
    return -(-prompt // CHARACTERS) + (limits[0] if limits else ANSWER)


def _characters(value: object, depth: int) -> int:
    if isinstance(value, str):
        return min(len(value), TEXT_OF_DATA) if " " not in value[:TEXT_OF_DATA] else len(value)
    if depth == 0:
        return 0
    if isinstance(value, Mapping):
        return sum(_characters(one, depth - 1) for one in value.values())
    if isinstance(value, list | tuple):
        return sum(_characters(one, depth - 1) for one in value)
    return 0
