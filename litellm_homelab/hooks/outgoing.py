"""Answers of every format, named after the handle; errors without upstream names."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel

from litellm_homelab.decision import Refuse
from litellm_homelab.hooks.refusal import Refused
from litellm_homelab.showroom import outward, sse

STAMPED = outward.MODEL_KEYS | outward.ID_KEYS | outward.ENVELOPES | outward.LISTS


class ClientError(HTTPException):
    """An upstream's error as the client gets it: its status, its text without the operator's names."""

    def __init__(self, status: int, message: str, *, refusal: Refuse | None = None) -> None:
        super().__init__(status_code=status, detail=message, headers=refusal.headers if refusal else None)
        self.message = message
        if refusal is not None:  # LiteLLM takes `type` and `param` from the exception where it has them
            self.type, self.param = refusal.type.value, refusal.param


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


def _changes(answer: BaseModel, handle: str | None) -> dict[str, Any]:
    before = {name: getattr(answer, name) for name in STAMPED if getattr(answer, name, None) is not None}
    nested = {name: value for name, value in before.items() if isinstance(value, BaseModel | list)}
    plain = {name: value for name, value in before.items() if name not in nested}
    after = {name: value for name, value in outward.restamped(plain, handle).items() if value != plain[name]}
    for name, value in nested.items():
        new = _nested(name, value, handle)
        if new is not value:
            after[name] = new
    return after


def _nested(name: str, value: Any, handle: str | None) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    if isinstance(value, BaseModel):
        changes = _changes(value, handle) if name in outward.ENVELOPES else {}
        return value.model_copy(update=changes) if changes else value
    if name not in outward.LISTS:
        return value
    items = [_item(item) for item in value]
    return items if any(new is not old for new, old in zip(items, value, strict=True)) else value


def _item(item: Any) -> Any:  # noqa: ANN401 - LiteLLM's answer types
    """An entry of a list has ids to look at, but no model of its own."""
    if isinstance(item, BaseModel):
        changes = _changes(item, None)
        return item.model_copy(update=changes) if changes else item
    if isinstance(item, dict) and "id" in item:
        new = outward.restamped(item, None)
        return new if new != item else item
    return item


async def stamped_stream(
    chunks: AsyncIterator[Any], handle: str, refine: Callable[[Exception], Exception]
) -> AsyncGenerator[Any, None]:
    """
    The chunks of a stream, each named after the handle; raw bytes are rewritten event by event.

    Chunks are copied, since LiteLLM assembles its log from the ones it yielded. An exception of the
    upstream goes through `refine`: on streams LiteLLM shows the client its text as it is.
    """
    raw = sse.Rewriter(functools.partial(outward.restamped, handle=handle))
    try:
        async for chunk in chunks:
            if isinstance(chunk, bytes | str):
                text = isinstance(chunk, str)
                for frame in raw.feed(chunk.encode() if isinstance(chunk, str) else chunk):
                    yield frame.decode() if text else frame
            else:
                yield stamped(chunk, handle)
        rest = raw.flush()
        if rest:
            yield rest
    except Exception as error:
        raise refine(error) from error


def refined(error: Exception, scrub: Callable[[str], str]) -> Exception | None:
    """
    The error that the client should get instead, None where the one there is says nothing of upstreams.

    LiteLLM's exceptions of upstream calls carry `llm_provider`; their further fields may hold the
    upstream's own body, so they are always replaced.
    """
    if isinstance(error, Refused | ClientError):
        return None
    message = str(getattr(error, "message", None) or getattr(error, "detail", None) or error)
    clean = scrub(message)
    if clean == message and not getattr(error, "llm_provider", None):
        return None
    return ClientError(status_of(error), clean)


def status_of(error: Exception) -> int:
    """The HTTP status of an exception, 500 where it has none."""
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int | str) and str(value).isdigit() and 400 <= int(value) <= 599:
            return int(value)
    return 500


def scrubber(deployments: Iterable[dict[str, Any]], public: Iterable[str]) -> outward.Scrubber:
    """A scrubber for everything that LiteLLM's router knows: groups, models, addresses, deployment ids."""
    names: set[str] = set()
    addresses: set[str] = set()
    for deployment in deployments:
        params, info = deployment.get("litellm_params") or {}, deployment.get("model_info") or {}
        names |= {str(deployment.get("model_name", "")), str(info.get("id") or "")}
        names |= set(outward.model_words(str(params.get("model") or "")))
        addresses |= set(outward.address_words(str(params.get("api_base") or "")))
    return outward.Scrubber.of(names, addresses, public)
