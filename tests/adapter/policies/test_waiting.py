"""A request that waits: its time is none of ours, and its client may leave."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.policies.waiting import left, waited


def test_the_wait_is_noted_and_is_no_time_of_our_hooks() -> None:
    """Two waits add up."""
    ctx = RequestContext()
    ctx.stats.took["attempt"] = 5.0
    waited(ctx, 1.5)
    waited(ctx, 0.5)
    assert (ctx.queued, ctx.stats.took["attempt"]) == (2.0, 3.0)


async def test_a_client_that_leaves_is_noticed() -> None:
    """What else the server says does not count."""
    said = iter(["http.request", "http.disconnect"])

    async def receive() -> MutableMapping[str, Any]:
        return {"type": next(said)}

    async with asyncio.timeout(10):
        await left(RequestContext(scope={"type": "http"}, receive=receive))


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_request_without_a_client_waits(kind: str) -> None:
    """LiteLLM's own requests have no client."""
    task = asyncio.ensure_future(left(RequestContext(scope={"type": kind})))
    done, _ = await asyncio.wait({task}, timeout=0.05)
    task.cancel()
    assert not done
