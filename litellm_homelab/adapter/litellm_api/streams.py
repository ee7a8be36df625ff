"""Streams of answers: what an exception in the middle of one becomes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from litellm_homelab.adapter.litellm_api.client_error import ClientError, StreamBroken


async def refined_stream(
    chunks: AsyncIterator[Any], refine: Callable[[Exception], ClientError | None]
) -> AsyncGenerator[Any, None]:
    """
    The chunks of a stream as they are; what names an upstream in them is removed where they leave.

    An exception of the upstream goes through `refine`: on streams LiteLLM shows the client its text as it is,
    and takes the status from it.
    """
    started = False
    try:
        async for chunk in chunks:
            yield chunk
            started = True
    except Exception as error:
        clean = refine(error)
        if clean is None:
            raise
        raise (StreamBroken(clean) if started else clean) from error
