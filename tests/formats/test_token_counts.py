"""What of a request counts as tokens."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.formats.token_counts import PICTURE, TURN, Countable, countable

DATA = "data:image/png;base64," + "A" * 5000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, Countable((), 0)),
        ({"input": "hello", "temperature": 1, "metadata": {"a": "b"}}, Countable(("hello",), TURN)),
        ({"messages": [{"role": "user", "content": "hello"}]}, Countable(("hello",), TURN)),
        (
            {
                "system": [{"type": "text", "text": "be brief"}],
                "messages": [{"role": "user", "content": "hi"}],
            },
            Countable(("be brief", "hi"), TURN),
        ),
        (
            {
                "messages": [
                    {"content": [{"type": "image_url", "image_url": {"url": DATA}}]},
                    {"content": "x"},
                ]
            },
            Countable(("x",), PICTURE + 2 * TURN),
        ),
        (
            {"messages": [{"content": [{"type": "image", "source": {"type": "base64", "data": DATA}}]}]},
            Countable((), PICTURE + TURN),
        ),
        (
            {"contents": [{"parts": [{"text": "hi"}, {"inlineData": {"data": DATA}}]}]},
            Countable(("hi",), PICTURE + TURN),
        ),
        (
            {
                "messages": [
                    {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"city": "Oslo"}}]}
                ]
            },
            Countable(("f", "Oslo"), TURN),
        ),
        ({"tools": [{"name": "f"}]}, Countable(('[{"name": "f"}]',), 0)),
    ],
)
def test_what_counts(body: dict[str, Any], expected: Countable) -> None:
    """Texts, tools and turns; a picture is a fixed number, never its bytes."""
    assert countable(body) == expected


def test_a_deep_body_ends() -> None:
    """What is nested without end is not followed without end."""
    deep: Any = "text"
    for _ in range(500):
        deep = [deep]
    assert countable({"messages": deep}).texts == ()
