"""Slots, quotas and limits of one group together: each gives back what another refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from litellm_homelab.testing import MockProxy
from tests.adapter.lane import document, group, proxy_on
from tests.adapter.policies.test_queue import BODIES, GPU, until
from tests.adapter.policies.test_quotas import DAY, GROQ_DAY


def proxy(folder: Path, *, fallbacks: bool = False) -> MockProxy:
    """`main` has one slot and no queue, a quota of two requests a day and limits; `cloud` has none."""
    models = [group("main", api_base=f"{GPU}/v1"), group("cloud", api_base="http://127.0.0.1:9000/v1")]
    found = document(models, {}, internal=(), fallbacks={"main": ["cloud"]} if fallbacks else {})
    found["homelab"]["backends"] = {"gpu": {"at": [GPU], "slots": 1, "queue": {"length": 0}}}
    found["homelab"]["quotas"] = {"free": {"groups": ["main"], "windows": [DAY]}}
    found["homelab"]["timeouts"] = {"default": {"connect": 5, "first_token": 60, "idle": 60, "total": 60}}
    return proxy_on(folder, found)


@pytest.mark.parametrize("path", BODIES)
async def test_what_the_queue_refuses_does_not_count(tmp_path: Path, path: str) -> None:
    """Five requests that find the slot taken use nothing of the quota: two are answered, as it allows."""
    async with proxy(tmp_path) as gateway:
        body, upstream = {"model": "main", **BODIES[path]}, gateway.upstream("main")
        held = upstream.holds()
        first = asyncio.create_task(gateway.post(path, body))
        await until(lambda: len(upstream.requests) == 1)
        for _ in range(5):
            busy = await gateway.post(path, body)
            assert (busy.status, "busy" in busy.json["error"]["message"]) == (429, True)
        held.set()
        assert (await first).status == 200
        assert [(await gateway.post(path, body)).status for _ in range(2)] == [200, 429]
        assert len(upstream.requests) == 2


async def test_a_fallback_of_a_busy_group_leaves_its_quota(tmp_path: Path) -> None:
    """While the slot is taken the fallback answers, and the group's quota keeps its second request."""
    async with proxy(tmp_path, fallbacks=True) as gateway:
        upstream = gateway.upstream("main")
        held = upstream.holds()
        first = asyncio.create_task(gateway.chat("main"))
        await until(lambda: len(upstream.requests) == 1)
        assert [(await gateway.chat("main")).status for _ in range(3)] == [200] * 3
        held.set()
        assert (await first).status == 200
        assert [(await gateway.chat("main")).status for _ in range(2)] == [200] * 2
        assert (len(upstream.requests), len(gateway.upstream("cloud").requests)) == (2, 4)


async def test_a_used_up_quota_takes_no_slot(tmp_path: Path) -> None:
    """A request that its quota refuses says so, though the slot is taken as well."""
    async with proxy(tmp_path) as gateway:
        assert (await gateway.chat("main")).status == 200
        held = gateway.upstream("main").holds()
        second = asyncio.create_task(gateway.chat("main"))
        await until(lambda: len(gateway.upstream("main").requests) == 2)
        answer = await gateway.chat("main")
        assert (answer.status, answer.json["error"]["type"]) == (429, "quota_exceeded")
        held.set()
        assert (await second).status == 200


async def test_an_error_within_limits_is_learned_and_gives_the_slot_back(tmp_path: Path) -> None:
    """A provider's 429 closes the day, though the transport reads the answer for the limits as well."""
    async with proxy(tmp_path) as gateway:
        upstream = gateway.upstream("main")
        upstream.says(GROQ_DAY, status=429, headers={})
        assert (await gateway.chat("main")).status == 429
        upstream.works()
        answer = await gateway.chat("main")
        assert (answer.status, answer.json["error"]["type"]) == (429, "quota_exceeded")
        assert len(upstream.requests) == 1
