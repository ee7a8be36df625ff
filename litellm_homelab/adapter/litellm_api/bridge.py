"""
Gives LiteLLM's bridge from chat completions to /v1/responses chunks that it can handle.

Of a chunk that holds reasoning, text and tool calls the bridge makes the event of the first of them only
(`_transform_chat_completion_chunk_to_response_api_chunk`, 1.106.2). OptiLLM's streams are one chunk; some
servers put the last of the reasoning and the first of the text into one. No hook of LiteLLM's sees these
chunks, so the bridge's iterator is given a source that splits them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Final

from litellm.responses.litellm_completion_transformation.streaming_iterator import (
    LiteLLMCompletionStreamingIterator,
)

PARTS: Final = (("reasoning_content", "thinking_blocks"), ("content",), ("tool_calls", "function_call"))
"""Fields of a delta that make one event each, in the order in which clients expect them."""
SOURCE: Final = "litellm_custom_stream_wrapper"
MARK: Final = "_homelab_original"


def install() -> None:
    """Have the bridge read split chunks, once in a process."""
    original = LiteLLMCompletionStreamingIterator.__init__
    if hasattr(original, MARK):
        return

    @functools.wraps(original)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - LiteLLM's signature
        original(self, *args, **kwargs)
        setattr(self, SOURCE, Split(getattr(self, SOURCE)))

    setattr(made, MARK, original)
    LiteLLMCompletionStreamingIterator.__init__ = made


class Split:
    """A stream of chat chunks, each of which says one thing; in all else the stream that it wraps."""

    def __init__(self, source: Any) -> None:  # noqa: ANN401 - LiteLLM's CustomStreamWrapper
        self._source = source
        self._waiting: list[Any] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        return getattr(self._source, name)

    def __aiter__(self) -> Split:
        return self

    def __iter__(self) -> Split:
        return self

    async def __anext__(self) -> Any:  # noqa: ANN401 - LiteLLM's chunk
        """The next part of a chunk."""
        if not self._waiting:
            self._waiting = list(parts(await self._source.__anext__()))
        return self._waiting.pop(0)

    def __next__(self) -> Any:  # noqa: ANN401 - LiteLLM's chunk
        """The next part of a chunk."""
        if not self._waiting:
            self._waiting = list(parts(next(self._source)))
        return self._waiting.pop(0)


def parts(chunk: Any) -> Iterator[Any]:  # noqa: ANN401 - LiteLLM's chunk
    """A chunk as one or more that each say one thing: what ends the stream, and usage, stay on the last."""
    choices = getattr(chunk, "choices", None)
    delta = choices[0].delta if choices else None
    said: list[tuple[str, ...]] = [
        names for names in PARTS if any(getattr(delta, name, None) for name in names)
    ]
    if choices and choices[0].finish_reason and said:
        said.append(())  # the bridge ends reasoning at a chunk without any
    if len(said) < 2:
        yield chunk
        return
    for names in said:
        yield _only(chunk, names, ends=names is said[-1])


def _only(chunk: Any, names: tuple[str, ...], *, ends: bool) -> Any:  # noqa: ANN401 - LiteLLM's chunk
    made = chunk.model_copy(deep=True)
    choice = made.choices[0]
    for group in PARTS:
        for name in group:
            if name not in names and getattr(choice.delta, name, None):
                setattr(choice.delta, name, None)
    if not ends:
        choice.finish_reason = None
        if getattr(made, "usage", None) is not None:
            made.usage = None
    return made
