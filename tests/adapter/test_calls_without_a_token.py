"""OptiLLM's own requests without a lineage token get a 400, too: its SDK would repeat anything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.lane import TEXT, document, group, key_of, proxy_on
from tests.adapter.policies.test_queue import until

PORTS = {"spent": 8000, "slow": 8001, "busy": 8002, "away": 8003}
LISTS = "http://127.0.0.1:8004"


def config() -> dict[str, Any]:
    """A group for each refusal; `discover` has not listed anything yet."""
    models = [group(name, api_base=f"http://127.0.0.1:{port}/v1") for name, port in PORTS.items()]
    models.append(group("late/*", "openai/*", api_base=f"{LISTS}/v1"))
    found = document(models, {}, internal=("late/*",))
    found["homelab"]["showroom"] |= {"internal": [], "discover": {"lists": {"group": "late/*"}}}
    found["homelab"]["quotas"] = {"free": {"groups": ["spent"], "windows": [{"requests": 1, "per": "month"}]}}
    found["homelab"]["timeouts"] = {"slow": {"total": 1}}
    presence = {"probe_seconds": 3600, "timeout_seconds": 1}
    found["homelab"]["backends"] = {
        "busy": {"at": [f"http://127.0.0.1:{PORTS['busy']}"], "slots": 1, "queue": {"length": 0}},
        "away": {"at": [f"http://127.0.0.1:{PORTS['away']}"], "presence": presence},
        "lists": {"at": [LISTS], "kind": "ollama", "presence": presence},
    }
    return found


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[MockProxy]:
    """The mocked proxy on `config`."""
    async with proxy_on(tmp_path, config()) as found:
        yield found


async def ask(proxy: MockProxy, name: str) -> Answer:
    """One chat with OptiLLM's key."""
    body = {"model": name, "messages": TEXT}
    return await proxy.post("/v1/chat/completions", body, headers=key_of("optillm"))


async def test_each_refusal_of_an_attempt(proxy: MockProxy) -> None:
    """A used-up quota, a limit of time, a full queue, a server that is away, a name that is not known yet."""
    proxy.upstream("slow").fails("silent")
    proxy.upstream("away").fails("down")
    held = proxy.upstream("busy").holds()
    first = asyncio.create_task(ask(proxy, "busy"))
    await until(lambda: len(proxy.upstream("busy").requests) == 1)
    await ask(proxy, "spent")
    await ask(proxy, "away")
    answers = {name: await ask(proxy, name) for name in (*PORTS, "late/llama")}
    held.set()
    assert (await first).status == 200
    assert {name: (one.status, one.error["type"]) for name, one in answers.items()} == {
        "spent": (400, "quota_exceeded"),
        "slow": (400, "upstream_timeout"),
        "busy": (400, "backend_busy"),
        "away": (400, "model_absent"),
        "late/llama": (400, "model_absent"),
    }
