"""``/v1/embeddings``: deterministic unit vectors, as numbers or as base64."""

from __future__ import annotations

import base64
import math
import random
import struct
from typing import Any, Final

from litellm_homelab.demo import answers, request_body
from litellm_homelab.demo.request_body import BadRequestError

DEFAULT_DIMENSIONS: Final = 64
MAX_DIMENSIONS: Final = 4096


def inputs(body: dict[str, Any]) -> list[str]:
    """The texts to embed: a string, a list of strings, or token ids, which count as their text."""
    given = body.get("input")
    if isinstance(given, str) and given:
        return [given]
    if not isinstance(given, list) or not given:
        raise BadRequestError(400, "'input' must be a non-empty string or list.", param="input")
    if all(isinstance(item, int) for item in given):
        return [str(given)]
    return [item if isinstance(item, str) else str(item) for item in given]


def vector(text: str, dimensions: int) -> list[float]:
    """A unit vector that depends on the text alone."""
    source = random.Random(text)  # noqa: S311 - a stand-in for a model, not a secret
    values = [source.gauss(0, 1) for _ in range(dimensions)]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def _encoded(values: list[float], encoding: object) -> list[float] | str:
    if encoding != "base64":
        return values
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to an embeddings request; ``dimensions`` and ``encoding_format`` are honoured."""
    dimensions = request_body.whole_number(body, "dimensions", DEFAULT_DIMENSIONS, MAX_DIMENSIONS)
    texts = inputs(body)
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _encoded(vector(text, dimensions), body.get("encoding_format")),
        }
        for index, text in enumerate(texts)
    ]
    spent = answers.prompt_tokens(texts)
    return {
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": {"prompt_tokens": spent, "total_tokens": spent},
    }
