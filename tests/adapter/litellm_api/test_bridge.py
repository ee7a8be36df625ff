"""Chunks for LiteLLM's bridge to /v1/responses: each says one thing."""

from __future__ import annotations

from typing import Any

import pytest
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from litellm_homelab.adapter.litellm_api.bridge import Split, parts

CALL = [{"id": "c", "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}]


def chunk(finish: str | None = None, **said: Any) -> ModelResponseStream:
    """One chunk of a stream."""
    return ModelResponseStream(
        id="x", choices=[StreamingChoices(finish_reason=finish, index=0, delta=Delta(**said))]
    )


def seen(one: ModelResponseStream) -> tuple[Any, ...]:
    """What a chunk says."""
    delta = one.choices[0].delta
    return (
        getattr(delta, "reasoning_content", None) or None,
        delta.content or None,
        bool(delta.tool_calls),
        one.choices[0].finish_reason,
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (chunk(content="a"), [(None, "a", False, None)]),
        (chunk(reasoning_content="r"), [("r", None, False, None)]),
        (chunk(reasoning_content="r", content="a"), [("r", None, False, None), (None, "a", False, None)]),
        (
            chunk("tool_calls", reasoning_content="r", content="a", tool_calls=CALL),
            [
                *(("r", None, False, None), (None, "a", False, None), (None, None, True, None)),
                (None, None, False, "tool_calls"),
            ],
        ),
        (chunk("stop", reasoning_content="r"), [("r", None, False, None), (None, None, False, "stop")]),
        (chunk("stop"), [(None, None, False, "stop")]),
    ],
    ids=["text", "reasoning", "both", "all, and the end", "reasoning, and the end", "the end"],
)
def test_a_chunk_is_split(given: ModelResponseStream, expected: list[tuple[Any, ...]]) -> None:
    """Reasoning, then text, then calls, then the end."""
    before = seen(given)
    assert [seen(one) for one in parts(given)] == expected
    assert seen(given) == before


async def test_a_stream_is_read_through() -> None:
    """All parts in order, and whatever else the source has."""

    class Source:
        """Two chunks."""

        logging_obj = "log"

        def __init__(self) -> None:
            self.left = [chunk(reasoning_content="r", content="a"), chunk("stop")]

        async def __anext__(self) -> ModelResponseStream:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    split = Split(Source())
    assert split.logging_obj == "log"
    assert [seen(one)[:2] async for one in split] == [("r", None), (None, "a"), (None, None)]
