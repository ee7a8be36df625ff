"""Answers of every format, named after the handle."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any

from pydantic import BaseModel

from litellm_homelab.hooks.client_error import ClientError, StreamBroken
from litellm_homelab.hooks.metering import timing
from litellm_homelab.showroom import outward, sse

STAMPED = outward.MODEL_KEYS | outward.ID_KEYS | outward.ENVELOPES | outward.LISTS


def contents(model: BaseModel) -> Mapping[str, Any]:
    """The fields that an object has; asked for one by one, each that it has not costs an exception (5 us)."""
    return {**vars(model), **(model.model_extra or {})}


def stamped(answer: Any, handle: str) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    """A copy of an answer or chunk that names the handle; objects that hold no model stay the same."""
    if isinstance(answer, dict):
        return outward.restamped(answer, handle)
    if isinstance(answer, BaseModel):
        changes = _changes(answer, handle)
        return answer.model_copy(update=changes) if changes else answer
    return answer


def stamp(answer: Any, handle: str) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    """As `stamped`, but an object is changed in place: LiteLLM looks at its attributes afterwards."""
    if isinstance(answer, BaseModel):
        for name, value in _changes(answer, handle).items():
            setattr(answer, name, value)
        return answer
    return stamped(answer, handle)


def _changes(answer: BaseModel, handle: str, names: frozenset[str] = STAMPED) -> dict[str, Any]:
    fields = contents(answer)
    before = {name: fields[name] for name in names if fields.get(name) is not None}
    nested = {name: value for name, value in before.items() if isinstance(value, BaseModel | list)}
    plain = {name: value for name, value in before.items() if name not in nested}
    after = {name: value for name, value in outward.restamped(plain, handle).items() if value != plain[name]}
    for name, value in nested.items():
        new = _nested(name, value, handle)
        if new is not value:
            after[name] = new
    return after


def _nested(name: str, value: Any, handle: str) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    if isinstance(value, BaseModel):
        changes = _changes(value, handle) if name in outward.ENVELOPES else {}
        return value.model_copy(update=changes) if changes else value
    if name not in outward.LISTS:
        return value
    items = [_item(item, handle) for item in value]
    return items if any(new is not old for new, old in zip(items, value, strict=True)) else value


def _item(item: Any, handle: str) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    """An entry of a list has ids to look at, but no model of its own."""
    if isinstance(item, BaseModel):
        changes = _changes(item, handle, STAMPED - outward.MODEL_KEYS)
        return item.model_copy(update=changes) if changes else item
    new = outward.entry(item, handle)
    return new if new != item else item


async def stamped_stream(
    chunks: AsyncIterator[Any], handle: str, refine: Callable[[Exception], ClientError | None]
) -> AsyncGenerator[Any, None]:
    """
    The chunks of a stream, each named after the handle; raw bytes are rewritten event by event.

    Chunks are copied, since LiteLLM assembles its log from the ones it yielded. An exception of the
    upstream goes through `refine`: on streams LiteLLM shows the client its text as it is.
    """
    started = False
    try:
        async for chunk in _stamped_chunks(chunks, handle):
            yield chunk
            started = True
    except Exception as error:
        clean = refine(error)
        if clean is None:
            raise
        raise (StreamBroken(clean) if started else clean) from error


async def _stamped_chunks(chunks: AsyncIterator[Any], handle: str) -> AsyncGenerator[Any, None]:
    raw, text = sse.Rewriter(functools.partial(outward.restamped, handle=handle)), False
    async for chunk in chunks:
        if isinstance(chunk, bytes):
            for frame in raw.feed(chunk):
                yield frame
        elif isinstance(chunk, str):
            text = True
            for frame in raw.feed(chunk.encode("utf-8", "surrogatepass")):
                yield frame.decode("utf-8", "surrogatepass")
        else:
            with timing("stream"):
                new = stamped(chunk, handle)
            yield new
    rest = raw.flush()
    if rest:
        yield rest.decode("utf-8", "surrogatepass") if text else rest
