"""The chain and the parallel models, OptiLLM's among them: neither ever answers for the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.answer import Answer
from tests.adapter.lane import TEXT, document, group, proxy_on

CHAIN = ("vllm", "ollama", "openai")
PARALLEL = ("boost", "groq")
BASE = "base"
"""What OptiLLM calls back."""
STATES = ("absent", "busy", "waking")
ADDRESSES = {
    name: f"http://127.0.0.1:{8000 + number}" for number, name in enumerate((*CHAIN, *PARALLEL, BASE))
}
WAKE = {"mac": "02:00:00:00:00:01", "wait_seconds": 0.05, "cooldown_seconds": 30}
REQUESTS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 9},
    "/v1/responses": {"input": "hello"},
    "/v1/completions": {"prompt": "hello"},
}


def config(state: str, names: Sequence[str]) -> dict[str, Any]:
    """A chain of three, OptiLLM and a cloud beside it; the backends in `names` can come into a state."""
    models = [group(name, api_base=f"{at}/v1") for name, at in ADDRESSES.items() if name != "boost"]
    models.append(group("boost", "openai/base", api_base=f"{ADDRESSES['boost']}/v1", num_retries=0))
    lanes = {"boost": {"approaches": ["none", "re2"]}}
    found = document(models, lanes, internal=(*CHAIN[1:], BASE), fallbacks={"vllm": [*CHAIN[1:]]})
    found["router_settings"]["num_retries"] = 0
    found["homelab"]["backends"] = {name: {"at": [ADDRESSES[name]], **_tuning(state, name)} for name in names}
    return found


def _tuning(state: str, name: str) -> dict[str, Any]:
    """What lets a backend come into a state; OptiLLM is never probed, so nothing would see it wake."""
    if state == "busy":
        return {"slots": 1, "queue": {"length": 0}}
    presence = {"probe_seconds": 3600, "timeout_seconds": 1}
    if state == "absent" or name == "boost":
        return {"presence": presence}
    return {"presence": {**presence, "on_absent": "wake"}, "wake": WAKE}


async def unavailable(proxy: MockProxy, state: str, names: Sequence[str]) -> list[asyncio.Task[Answer]]:
    """Bring backends into a state; the requests that keep them busy."""
    if state != "busy":
        for name in names:
            proxy.upstream(name).fails("down")
        return []
    holding = []
    for name in names:
        proxy.upstream(name).holds()
        holding.append(asyncio.create_task(proxy.chat(names[0])))
        async with asyncio.timeout(30):
            while not proxy.upstream(name).requests:  # noqa: ASYNC110 - what was received sets no event
                await asyncio.sleep(0.01)
    return holding


async def asked(proxy: MockProxy, name: str) -> list[Answer]:
    """A handle on every route, streamed and then whole: the later requests know what the first one met."""
    return [
        await proxy.post(path, {"model": name, "stream": stream, **body})
        for path, body in REQUESTS.items()
        for stream in (True, False)
    ]


def called(answers: Sequence[Answer]) -> set[str]:
    """The groups that were called."""
    return {call.backend for answer in answers for call in answer.calls}


@pytest.mark.parametrize("state", STATES)
async def test_parallel_models_never_join_the_chain(tmp_path: Path, state: str) -> None:
    """With every backend of the chain away, busy or waking the client gets an error, and nothing else."""
    async with proxy_on(tmp_path, config(state, CHAIN)) as proxy:
        holding = await unavailable(proxy, state, CHAIN)
        answers = await asked(proxy, "vllm")
        assert {answer.status for answer in answers} <= {429, 500, 503}
        assert called(answers) <= set(CHAIN)
        assert answers[-1].calls == ()
        for name in PARALLEL:
            assert (await proxy.chat(name)).sent_to == [name]
        for task in holding:
            task.cancel()


@pytest.mark.parametrize("name", PARALLEL)
@pytest.mark.parametrize("state", STATES)
async def test_the_chain_never_joins_parallel_models(tmp_path: Path, state: str, name: str) -> None:
    """A parallel model that is away, busy or waking is an error: no rung answers in its place."""
    async with proxy_on(tmp_path, config(state, [name])) as proxy:
        holding = await unavailable(proxy, state, [name])
        answers = await asked(proxy, name)
        assert {answer.status for answer in answers} <= {429, 500, 503}
        assert called(answers) <= {name}
        assert answers[-1].calls == ()
        assert (await proxy.chat("vllm")).sent_to == ["vllm"]
        for task in holding:
            task.cancel()
