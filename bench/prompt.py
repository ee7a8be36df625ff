"""What is asked."""

from __future__ import annotations

from typing import Any, Final

SIZES: Final = {"1 KB": 1_000, "1 MB": 1_000_000}
SENTENCE: Final = "Say why the answer <a href='x'>the_one</a> is right, and how you know; then say it again. "
"""Prose with the angle brackets and underscores that prose about code has: what the tag rule looks for."""


def prompt_of(size: int) -> str:
    """Prose of `size` bytes."""
    return (SENTENCE * (size // len(SENTENCE) + 1))[:size]


def chat(model: str, size: int, **fields: object) -> dict[str, Any]:
    """The body of a chat completion with one message of that size."""
    return {"model": model, "messages": [{"role": "user", "content": prompt_of(size)}], **fields}
