"""The estimate of a request's tokens."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.quotas import estimate

WORDS = "word " * 400
MESSAGES = [{"role": "user", "content": WORDS}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}


@pytest.mark.parametrize(
    ("fields", "least", "most"),
    [
        ({}, 512, 512),
        ({"messages": MESSAGES}, 1012, 1020),
        ({"messages": MESSAGES, "max_tokens": 10}, 510, 520),
        ({"input": WORDS, "max_output_tokens": 10}, 510, 520),
        ({"prompt": [WORDS, WORDS], "max_tokens": 0}, 1512, 1520),
        ({"messages": [{"role": "user", "content": [PICTURE]}], "max_tokens": 1}, 500, 600),
    ],
    ids=["nothing", "chat", "limited", "responses", "prompts", "picture"],
)
def test_texts_and_the_longest_answer_count(fields: dict[str, Any], least: int, most: int) -> None:
    """A quarter of the characters, and what the request allows; a picture is no text."""
    assert least <= estimate.tokens(fields) <= most


def test_a_deep_request_is_counted_to_a_depth() -> None:
    """It does not break the estimate."""
    value: Any = "x"
    for _ in range(5000):
        value = [value]
    assert estimate.tokens({"input": value}) == 512
