"""Calls of OptiLLM that belong to no request, through the mocked proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.optillm import orphans
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.counts import changes
from tests.adapter.lane import TEXT, document, group, key_of, proxy_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """A lane that lets three such calls in at a time, the metrics on."""
    models = [group("main"), group("boost", "openai/base"), group("base", num_retries=0)]
    made: dict[str, Any] = document(models, {"boost": {"approaches": ["none"]}}, internal=("base",))
    made["homelab"]["limits"] = {"orphans": LIMIT}
    async with proxy_on(tmp_path_factory.mktemp("config"), made) as running:
        yield running


async def ask(proxy: MockProxy, number: int) -> list[Answer]:
    """So many calls at once with OptiLLM's key and no mark; the backend takes its time over each."""
    proxy.upstream("base").fails("slow", seconds=1)
    body = {"model": "base", "messages": TEXT}
    calls = (proxy.post("/v1/chat/completions", body, headers=key_of("optillm")) for _ in range(number))
    return list(await asyncio.gather(*calls))


async def test_one_after_the_other_is_served_for_ever(proxy: MockProxy) -> None:
    """Each that has ended makes room for the next, however it ended."""
    for fault in (500, 400, 500, 400, 500):
        proxy.upstream("base").fails(fault, times=1)
        body = {"model": "base", "messages": TEXT}
        answer = await proxy.post("/v1/chat/completions", body, headers=key_of("optillm"))
        assert answer.status == fault, answer.text
    assert [answer.status for answer in await ask(proxy, LIMIT)] == [200] * LIMIT


async def test_too_many_at_once_are_cut_off(proxy: MockProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those over the limit are refused and counted, and so is what comes before it has been quiet."""
    with changes() as seen:
        answers = await ask(proxy, LIMIT + 2)
    assert sorted(answer.status for answer in answers) == [200] * LIMIT + [400] * 2
    refused = next(answer for answer in answers if answer.status == 400)
    assert (refused.error["type"], refused.error["param"]) == ("fanout_exceeded", "model")
    assert "homelab.limits.orphans" in refused.error["message"]
    assert seen["orphans_total{}"] == LIMIT
    assert sum(count for name, count in seen.items() if "fanout_exceeded" in name and "optillm" in name) == 2

    assert [answer.status for answer in await ask(proxy, 1)] == [400]
    client = await proxy.post("/v1/chat/completions", {"model": "main", "messages": TEXT})
    assert client.status == 200
    monkeypatch.setattr(orphans, "REST_SECONDS", 0.0)
    assert [answer.status for answer in await ask(proxy, LIMIT)] == [200] * LIMIT
