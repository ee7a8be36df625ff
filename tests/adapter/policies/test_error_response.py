"""What the client gets of a chain in which every attempt was skipped, each for another reason."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.adapter.lane import TEXT, document, group, proxy_on

ADDRESSES = {
    "absent": "http://127.0.0.1:8001",
    "spent": "http://127.0.0.1:8002",
    "busy": "http://127.0.0.1:8003",
}
"""The groups of a chain, by what is in the way of each."""
PROBED = 900
"""Seconds until the absent one is asked again: the time that its refusal says."""
ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/responses": {"input": "hello"},
}
ANTHROPIC = {
    "backend_busy": "rate_limit_error",
    "quota_exceeded": "rate_limit_error",
    "model_absent": "api_error",
}


def config(chain: list[str]) -> dict[str, Any]:
    """A chain of these groups; `holding` keeps the one slot of `busy` taken."""
    models = [group(name, api_base=f"{ADDRESSES[name]}/v1") for name in chain]
    models.append(group("holding", api_base=f"{ADDRESSES['busy']}/v1"))
    found = document(models, {}, internal=chain[1:], fallbacks={chain[0]: chain[1:]})
    found["homelab"]["backends"] = {
        "absent": {"at": [ADDRESSES["absent"]], "presence": {"probe_seconds": PROBED, "timeout_seconds": 1}},
        "busy": {"at": [ADDRESSES["busy"]], "slots": 1, "queue": {"length": 0}},
    }
    found["homelab"]["backends"] = {
        name: one for name, one in found["homelab"]["backends"].items() if name in (*chain, "busy")
    }
    if "spent" in chain:
        windows = [{"requests": 1, "per": "week", "rolling": True}]
        found["homelab"]["quotas"] = {"tier": {"groups": ["spent"], "windows": windows}}
    found["router_settings"]["num_retries"] = 0
    return found


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("chain", "nearest"),
    [
        (["spent", "absent", "busy"], "backend_busy"),
        (["busy", "spent", "absent"], "backend_busy"),
        (["spent", "absent"], "model_absent"),
        (["absent", "spent"], "model_absent"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
async def test_the_nearest_refusal_is_the_clients(
    tmp_path: Path, chain: list[str], nearest: str, path: str
) -> None:
    """Of all reasons the one that ends first, with its own status and time; nothing is called."""
    async with proxy_on(tmp_path, config(chain)) as proxy:
        upstreams = {name: proxy.upstream(name) for name in (*chain, "holding")}
        held = upstreams["holding"].holds()
        holding = asyncio.create_task(proxy.chat("holding"))
        async with asyncio.timeout(30):
            while not upstreams["holding"].requests:  # noqa: ASYNC110 - what was received sets no event
                await asyncio.sleep(0.01)
        upstreams["absent"].fails("down")
        await proxy.chat(chain[0])  # finds the refused connection, and takes the quota's only request
        await proxy.chat(chain[0])
        before = {name: len(one.requests) for name, one in upstreams.items()}
        answer = await proxy.post(path, {"model": chain[0], **ROUTES[path]})
        kind = ANTHROPIC[nearest] if path == "/v1/messages" else nearest
        assert (answer.status, answer.json["error"]["type"]) == (
            503 if nearest == "model_absent" else 429,
            kind,
        )
        seconds = int(answer.response.headers["retry-after"])
        assert seconds == PROBED if nearest == "model_absent" else seconds <= 60
        assert {name: len(one.requests) for name, one in upstreams.items()} == before
        held.set()
        await holding
