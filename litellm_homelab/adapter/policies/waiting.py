"""A request that waits for a backend: until when, and whether its client is still there."""

from __future__ import annotations

import asyncio
from typing import Final

from litellm_homelab.adapter.context import RequestContext

DISCONNECT: Final = "http.disconnect"


def waited(ctx: RequestContext, seconds: float) -> None:
    """Note how long a request waited; it does not count as time of our hooks."""
    ctx.queued += seconds
    ctx.stats.took["attempt"] = ctx.stats.took.get("attempt", 0.0) - seconds


async def left(ctx: RequestContext) -> None:
    """
    Return when the client has left: all of its request has been read by now.

    It runs for as long as the request waits, so it says when the wait begins and ends.
    """
    if ctx.comments is not None:
        ctx.comments.begins()
    try:
        while ctx.receive is not None and ctx.scope.get("type") == "http":
            if (await ctx.receive()).get("type") == DISCONNECT:
                return
        await asyncio.Event().wait()
    finally:
        if ctx.comments is not None:
            ctx.comments.ends()
