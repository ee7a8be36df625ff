"""What of a request counts as tokens: its texts, tools and pictures, in the formats of three APIs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

PICTURE: Final = 250
"""Tokens of a picture: LiteLLM's own default (DEFAULT_IMAGE_TOKEN_COUNT, 1.106.2)."""
TURN: Final = 4
"""Tokens around each message, as OpenAI's cookbook counts them."""
TEXTS: Final = ("system", "systemInstruction", "instructions")
TURNS: Final = ("messages", "input", "contents")
TOOLS: Final = ("tools", "functions")
"""Fields that a model reads; no other field of a request has tokens."""
SILENT: Final = frozenset(
    {"type", "role", "id", "call_id", "tool_use_id", "tool_call_id", "cache_control", "signature", "detail"}
)
"""Keys of messages and parts whose values no model reads as text."""
MEDIA: Final = frozenset(
    {"image_url", "source", "inlineData", "inline_data", "fileData", "file_data", "input_audio", "file"}
)
"""Keys of parts that hold a picture, a sound or a file, or say where it is."""
DEEPEST: Final = 32


@dataclass(frozen=True, slots=True)
class Countable:
    """What has to be counted: the texts, and tokens that need no tokenizer."""

    texts: tuple[str, ...]
    fixed: int


def countable(body: Mapping[str, object]) -> Countable:
    """What of a request's body counts."""
    found: list[str | int] = []
    for name in TEXTS:
        found += _pieces(body.get(name), 0)
    for name in TURNS:
        turns = body.get(name)
        found += _pieces(turns, 0)
        found += [TURN] * (len(turns) if isinstance(turns, list) else int(turns is not None))
    found += [json.dumps(body[name], ensure_ascii=False) for name in TOOLS if body.get(name)]
    texts = tuple(one for one in found if isinstance(one, str))
    return Countable(texts, sum(one for one in found if isinstance(one, int)))


def _pieces(value: object, depth: int) -> Iterator[str | int]:
    if depth > DEEPEST:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _pieces(one, depth + 1)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key in MEDIA:
                yield PICTURE
            elif key not in SILENT:
                yield from _pieces(inner, depth + 1)
