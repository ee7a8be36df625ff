"""Streams: chunks pass as they are, errors without upstream names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from litellm_homelab.adapter.litellm_api.client_error import ClientError, StreamBroken
from litellm_homelab.adapter.litellm_api.streams import refined_stream


async def stream(*chunks: Any) -> AsyncIterator[Any]:
    """A stream of these chunks; an exception among them is raised."""
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


def cleaned(error: Exception) -> ClientError | None:
    """What becomes of an exception in these tests: `quiet` says nothing of an upstream."""
    return None if "quiet" in str(error) else ClientError(502, "clean")


async def sent(*chunks: Any) -> list[Any]:
    """What the client gets of these chunks."""
    return [chunk async for chunk in refined_stream(stream(*chunks), cleaned)]


async def test_chunks_pass_as_they_are() -> None:
    """Whatever they are: they are rewritten where they leave, once, as events."""
    chunks = [b"data: 1", "text", {"model": "up"}, None]
    assert await sent(*chunks) == chunks


@pytest.mark.parametrize(
    ("chunks", "kind", "text"),
    [
        pytest.param([ValueError("quiet")], ValueError, "quiet", id="nothing to hide"),
        pytest.param([ValueError("up")], ClientError, "clean", id="before the first chunk"),
        pytest.param([{"model": "up"}, ValueError("up")], StreamBroken, "clean", id="after it"),
        pytest.param(
            [{"model": "up"}, ValueError("quiet")], ValueError, "quiet", id="after it, nothing to hide"
        ),
    ],
)
async def test_an_error_of_a_stream_is_cleaned(chunks: list[Any], kind: type[Exception], text: str) -> None:
    """Before the first chunk it is an HTTP error, afterwards one that LiteLLM sends as an event."""
    with pytest.raises(kind) as caught:
        await sent(*chunks)
    assert text in (getattr(caught.value, "message", None) or str(caught.value))
