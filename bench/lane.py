"""
What the OptiLLM lane adds to a request, in process, beside stock LiteLLM's own time for one.

The approach rule's and the loop guard's hooks of one request to an OptiLLM handle, called one after another
with nothing between them: what `bench.hooks` sees in a real request, without LiteLLM's own work and garbage.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from bench.figure import OFF, ON, Figure, Measure
from bench.plan import Plan
from bench.prompt import SIZES, prompt_of
from bench.trace.kinds import stock as stock_document

SECTION: Final = "lane"
ROUTER: Final = Path(__file__).parents[1] / "tests" / "routers" / "lane.yaml"
WARM_UP: Final = 20
STATES: Final = ("memory://", "sqlite:///bench.db")
HOOKS: Final = "approach rule + loop guard"
STOCK: Final = "stock LiteLLM, whole request"
SHARE: Final = "approach rule + loop guard, share of stock's whole request"
HOW: Final = "the hooks of one request called directly, in LiteLLM's order, nothing between them"
HOW_SHARE: Final = "each round by the median of stock's whole request to a plain handle in the same run"
HOW_STOCK: Final = "a request to a plain handle through LiteLLM's app in this process, upstream a stand-in"


def measure(plan: Plan, say: Callable[[str], None]) -> Iterator[Figure]:
    """Both stores and stock LiteLLM, the sizes in turn."""
    for size in SIZES:
        lanes: dict[str, list[float]] = {}
        for state in STATES:
            say(f"lane: {size}, {state}")
            lanes[state] = asyncio.run(_lane(size, plan.lane_rounds, state))
            yield _figure(HOOKS, ON, HOW, _asked(size, state), lanes[state])
        say(f"lane: {size}, stock")
        stock = asyncio.run(_stock(size, max(plan.lane_rounds // 3, 5)))
        yield _figure(STOCK, OFF, HOW_STOCK, {"handle": "main", "prompt": size}, stock)
        for state, seconds in lanes.items():
            yield _share(_asked(size, state), seconds, stock)


def _asked(size: str, state: str) -> dict[str, str]:
    return {"handle": "boost", "prompt": size, "state": state.partition(":")[0]}


def _share(parameters: dict[str, str], seconds: list[float], stock: list[float]) -> Figure:
    measured = Measure(SECTION, SHARE, "%", HOW_SHARE, parameters=parameters)
    whole = statistics.median(stock)
    return measured.of([one / whole * 100 for one in seconds])


def _figure(what: str, hooks: str, how: str, parameters: dict[str, str], seconds: list[float]) -> Figure:
    measured = Measure(SECTION, what, "us", how, hooks, parameters)
    return measured.of([second * 1e6 for second in seconds])


@contextlib.contextmanager
def _router_file(*, hooks: bool, state: str = "") -> Iterator[Path]:
    """The lane's router.yaml with another store, or as stock LiteLLM would have it."""
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    if hooks:
        document["homelab"]["state"] = state
    else:
        document = stock_document(document)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "router.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        yield path


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


async def _lane(size: str, rounds: int, state: str) -> list[float]:
    """Seconds of the lane's hooks for one request to `boost`, by round."""
    from litellm_homelab.testing import MockProxy

    with _silent(), _router_file(hooks=True, state=state) as path:
        async with MockProxy(path):
            seconds = [await _one(prompt_of(SIZES[size])) for _ in range(rounds + WARM_UP)]
    return seconds[WARM_UP:]


def _deployment() -> dict[str, Any]:
    """What the router adds to an attempt at the lane's deployment."""
    from litellm.proxy import proxy_server

    from litellm_homelab.adapter.litellm_api import router_members

    found = router_members.deployment(proxy_server.llm_router, "id-boost")
    params: dict[str, Any] = found.litellm_params.model_dump(exclude_none=True)
    return params


async def _one(prompt: str) -> float:
    from litellm.types.utils import CallTypes, ModelResponse

    from litellm_homelab.adapter import context, startup

    plugin = startup.entry_point("plugin")
    body = {"model": "boost", "messages": [{"role": "user", "content": prompt}], "optillm_approach": "moa"}
    data: dict[str, Any] = {**body, "proxy_server_request": {"body": dict(body), "headers": {}, "url": ""}}
    sent = {"model": "base", "messages": body["messages"]}
    response = ModelResponse(choices=[{"message": {"content": "an answer"}}], usage={"prompt_tokens": 1})
    with context.request("/v1/chat/completions"):
        start = time.perf_counter()
        await plugin.async_pre_call_hook(None, None, data, "acompletion")
        kwargs = {**data, **_deployment(), "model_info": {"id": "id-boost"}}
        kwargs = await plugin.async_pre_call_deployment_hook(kwargs, CallTypes.acompletion) or kwargs
        plugin.log_pre_api_call("base", None, {"additional_args": {"complete_input_dict": sent}})
        await plugin.async_post_call_success_deployment_hook(kwargs, response, CallTypes.acompletion)
        await plugin.async_post_call_success_hook(data, None, response)
        return time.perf_counter() - start


async def _stock(size: str, rounds: int) -> list[float]:
    """Seconds of a whole request to a plain handle through stock LiteLLM in this process, by round."""
    from litellm_homelab.testing import MockProxy

    prompt, seconds = prompt_of(SIZES[size]), []
    with _silent(), _router_file(hooks=False) as path:
        async with MockProxy(path) as proxy:
            for _ in range(rounds + WARM_UP):
                start = time.perf_counter()
                answer = await proxy.chat("main", prompt)
                seconds.append(time.perf_counter() - start)
                if answer.status != 200:
                    raise RuntimeError(f"stock LiteLLM answered {answer.status}: {answer.text[:200]}")
    return seconds[WARM_UP:]
