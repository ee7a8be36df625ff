"""A request that waits for a backend: when it begins and ends to wait, and whether its client is there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from starlette.types import Message

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.policies.waiting import left, waited


@dataclass
class Noting:
    """Notes what it is told of waits."""

    told: list[str] = field(default_factory=list)

    def begins(self) -> None:
        """Note that a wait begins."""
        self.told.append("begins")

    def ends(self) -> None:
        """Note that a wait has ended."""
        self.told.append("ends")


def context(*messages: str, noting: Noting | None = None) -> RequestContext:
    """A request whose server says these messages, and then nothing."""
    rest = list(messages)

    async def receive() -> Message:
        if not rest:
            await asyncio.Event().wait()
        return {"type": rest.pop(0)}

    return RequestContext(scope={"type": "http"}, receive=receive, comments=noting)


@pytest.mark.parametrize("noting", [None, Noting()], ids=["plain", "noting"])
async def test_it_returns_when_the_client_leaves(noting: Noting | None) -> None:
    """What the server says before is not heeded; the wait has begun and ended."""
    async with asyncio.timeout(5):
        await left(context("http.request", "http.disconnect", noting=noting))
    assert noting is None or noting.told == ["begins", "ends"]


@pytest.mark.parametrize("has_server", [True, False])
async def test_a_wait_that_is_cancelled_has_ended(has_server: bool) -> None:
    """The request got what it waited for, or waited for too long."""
    noting = Noting()
    ctx = context(noting=noting)
    if not has_server:
        ctx.receive = None
    task = asyncio.create_task(left(ctx))
    await asyncio.sleep(0)
    assert noting.told == ["begins"]
    task.cancel()
    await asyncio.wait({task})
    assert (task.cancelled(), noting.told) == (True, ["begins", "ends"])


def test_what_was_waited_is_none_of_our_hooks_time() -> None:
    """It adds up, and is taken off the time of the hook in which it passed."""
    ctx = RequestContext()
    waited(ctx, 1.5)
    waited(ctx, 0.5)
    assert (ctx.queued, ctx.stats.took["attempt"]) == (2.0, -2.0)
