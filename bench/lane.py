"""
What the OptiLLM lane adds to a request, in process, beside stock LiteLLM's own time for one.

    python -m bench.lane [--json] [--rounds 300]

Measured: the approach rule's and the loop guard's hooks of one request to an OptiLLM handle, called as
LiteLLM calls them (pre-call, per attempt, wire, answer), with counters in memory and in SQLite; and the whole
of a request to a plain handle through stock LiteLLM in this process, hooks off. Microseconds: the median, the
99th percentile, the least and the most of all rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

ROUTER = Path(__file__).parents[1] / "tests" / "routers" / "lane.yaml"
SIZES = {"1 KB": 1_000, "1 MB": 1_000_000}
WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing, in microseconds."""

    what: str
    prompt: str
    median: float
    p99: float
    least: float
    most: float
    rounds: int


def figure(what: str, prompt: str, seconds: list[float]) -> Figure:
    """Sum up the rounds of one measurement."""
    ordered = sorted(second * 1e6 for second in seconds)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    return Figure(what, prompt, statistics.median(ordered), p99, ordered[0], ordered[-1], len(ordered))


def prompt_of(size: int) -> str:
    """Prose of about `size` bytes, with the angle brackets and underscores that prose about code has."""
    sentence = "Say why the answer <a href='x'>the_one</a> is right, and how you know; then say it again. "
    return (sentence * (size // len(sentence) + 1))[:size]


@contextlib.contextmanager
def router_file(*, hooks: bool, state: str) -> Iterator[Path]:
    """The lane's router.yaml with another store, or as stock LiteLLM would have it."""
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    if hooks:
        document["homelab"]["state"] = state
    else:
        del document["homelab"], document["litellm_settings"]["callbacks"]
        del document["general_settings"]["custom_auth"]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "router.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        yield path


async def lane(size: str, rounds: int, state: str) -> Figure:
    """The lane's hooks for one request to `boost`, as LiteLLM calls them."""
    from litellm_homelab.testing import MockProxy

    with router_file(hooks=True, state=state) as path:
        async with MockProxy(path):
            seconds = [await _one(prompt_of(SIZES[size])) for _ in range(rounds + WARM_UP)]
    return figure(f"approach rule + loop guard, {state.partition(':')[0]}", size, seconds[WARM_UP:])


async def _one(prompt: str) -> float:
    from litellm.types.utils import CallTypes, ModelResponse

    from litellm_homelab.hooks import context, running

    approach, guard = running.entry_point("approach"), running.entry_point("loop_guard")
    body = {"model": "boost", "messages": [{"role": "user", "content": prompt}], "optillm_approach": "moa"}
    data: dict[str, Any] = {**body, "proxy_server_request": {"body": dict(body), "headers": {}, "url": ""}}
    sent = {"model": "base", "messages": body["messages"]}
    response = ModelResponse(choices=[{"message": {"content": "an answer"}}], usage={"prompt_tokens": 1})
    with context.request("/v1/chat/completions") as record:
        start = time.perf_counter()
        for hook in (approach, guard):
            await hook.async_pre_call_hook(None, None, data, "acompletion")
        record.asked = "boost"
        kwargs = {**data, "model_info": {"id": "id-boost"}, "api_key": "gate-key"}
        for hook in (approach, guard):
            kwargs = await hook.async_pre_call_deployment_hook(kwargs, CallTypes.acompletion) or kwargs
        guard.log_pre_api_call("base", None, {"additional_args": {"complete_input_dict": sent}})
        await guard.async_post_call_success_deployment_hook(kwargs, response, CallTypes.acompletion)
        await guard.async_post_call_success_hook(data, None, response)
        return time.perf_counter() - start


async def stock(size: str, rounds: int) -> Figure:
    """A whole request to a plain handle through stock LiteLLM in this process."""
    from litellm_homelab.testing import MockProxy

    prompt, seconds = prompt_of(SIZES[size]), []
    with router_file(hooks=False, state="") as path:
        async with MockProxy(path) as proxy:
            for _ in range(rounds + WARM_UP):
                start = time.perf_counter()
                answer = await proxy.chat("main", prompt)
                seconds.append(time.perf_counter() - start)
                if answer.status != 200:
                    raise RuntimeError(f"stock LiteLLM answered {answer.status}: {answer.text[:200]}")
    return figure("stock LiteLLM, whole request", size, seconds[WARM_UP:])


async def measured(rounds: int) -> list[Figure]:
    """Every figure, the sizes in turn."""
    found = []
    for size in SIZES:
        found += [await lane(size, rounds, state) for state in ("memory://", "sqlite:///bench.db")]
        found.append(await stock(size, max(rounds // 5, 20)))
    return found


def shown(figures: list[Figure]) -> str:
    """The figures as a table."""
    head = f"{'what':44} {'prompt':>7} {'median':>10} {'p99':>10} {'least':>10} {'most':>10}  rounds"
    rows = (
        f"{one.what:44} {one.prompt:>7} {one.median:>8.1f}us {one.p99:>8.1f}us "
        f"{one.least:>8.1f}us {one.most:>8.1f}us  {one.rounds}"
        for one in figures
    )
    return "\n".join([head, *rows])


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the OptiLLM lane adds to a request, in process.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=300, help="rounds of each measurement (default 300)")
    arguments = parser.parse_args(argv)
    logging.disable(logging.CRITICAL)
    try:
        figures = asyncio.run(measured(arguments.rounds))
    finally:
        logging.disable(logging.NOTSET)
    text = json.dumps([asdict(one) for one in figures], indent=2) if arguments.json else shown(figures)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
