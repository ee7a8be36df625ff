"""Requests per second and latency end to end: two real gateways, hooks on and off, loaded in turn by wrk."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx

from bench import router, wrk
from bench.figure import NEITHER, OFF, ON, Aim, Figure, Measure, differences, losses, paired, turns
from bench.plan import Plan
from bench.processes import HOST, REPOSITORY, environ, free_port, gateway, processor_seconds, wait
from bench.prompt import SIZES, chat
from bench.router import MASTER_KEY, PLAIN
from bench.wrk import Load, LoadFailed
from litellm_homelab.cli.child import ChildProcess, end_all

SECTION: Final = "load"
PROMPT: Final = "1 KB"
PATH: Final = "/v1/chat/completions"
ALONE, TOGETHER = 1, 8
"""Connections of wrk: one for the latency of a request alone, eight for what a worker can take."""
LOSS: Final = Aim(2.0)
"""Percent of the requests per second."""
HOW: Final = (
    "wrk against `litellm --config`, one worker, an upstream that answers at once; both gateways up all the "
    "time, one loaded at a time, in turn"
)


@dataclass(frozen=True, slots=True)
class Side:
    """A running gateway that can be loaded."""

    url: str
    body: Path
    pid: int

    def load(self, connections: int, seconds: int) -> Load:
        """One run of wrk, and what it cost the gateway."""
        before = processor_seconds(self.pid)
        seen = wrk.run(self.url + PATH, self.body, connections=connections, seconds=seconds)
        after = processor_seconds(self.pid)
        if before is None or after is None:
            return seen
        return replace(seen, processor=(after - before) * 1e3 / seen.requests)


def measure(plan: Plan, say: Callable[[str], None]) -> Iterator[Figure]:
    """Latency at one connection, rate at eight, and what of both the hooks cost."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as stack:
        say("load: starting an upstream and two gateways")
        sides = _sides(plan, Path(name), stack)
        for connections in (ALONE, TOGETHER):
            say(f"load: {connections} connection{'s' * (connections > 1)}, {plan.load_rounds} rounds")
            yield from _figures(plan, connections, _loaded(plan, sides, connections))


def _loaded(plan: Plan, sides: dict[str, Side], connections: int) -> dict[str, list[Load]]:
    loads: dict[str, list[Load]] = {name: [] for name in sides}
    for side in sides.values():
        side.load(connections, plan.load_seconds)  # warm: what LiteLLM loads on first use is loaded
    for order in turns([*sides], plan.load_rounds):
        for name in order:
            loads[name].append(sides[name].load(connections, plan.load_seconds))
    return loads


def _figures(plan: Plan, connections: int, loads: dict[str, list[Load]]) -> Iterator[Figure]:
    asked = {"handle": PLAIN, "prompt": PROMPT, "connections": str(connections)}
    how = f"{HOW}; {plan.load_rounds} rounds of {plan.load_seconds} s"

    def figure(what: str, unit: str, hooks: str, rounds: Sequence[float], aim: Aim | None = None) -> Figure:
        return Measure(SECTION, what, unit, how, hooks, asked, aim).of(rounds)

    for hooks in (ON, OFF):
        yield figure("requests per second", "1/s", hooks, [one.rate for one in loads[hooks]])
        yield figure("latency, median", "ms", hooks, [one.p50 / 1e3 for one in loads[hooks]])
        yield figure("latency, p99", "ms", hooks, [one.p99 / 1e3 for one in loads[hooks]])
        spent = _processor(loads[hooks])
        if spent:
            yield figure("processor time of the gateway for a request", "ms", hooks, spent)
    on, off = loads[ON], loads[OFF]
    lost = losses([one.rate for one in on], [one.rate for one in off])
    yield figure("requests per second lost, by pair", "%", NEITHER, lost, LOSS)
    if _processor(on) and _processor(off):
        more = differences(_processor(on), _processor(off))
        yield figure("processor time, on less off, by pair", "ms", NEITHER, more)
    for name, of in (("median", _p50), ("p99", _p99)):
        yield figure(
            f"latency, {name}, on / off, by pair", "ratio", NEITHER, paired([*map(of, on)], [*map(of, off)])
        )


def _processor(loads: Sequence[Load]) -> list[float]:
    return [one.processor for one in loads if one.processor is not None]


def _p50(load: Load) -> float:
    return load.p50


def _p99(load: Load) -> float:
    return load.p99


def _sides(plan: Plan, folder: Path, stack: contextlib.ExitStack) -> dict[str, Side]:
    url = stack.enter_context(upstream(folder))
    body = folder / "body.json"
    body.write_text(json.dumps(chat(PLAIN, SIZES[PROMPT])), encoding="utf-8")
    started = []
    for name in (ON, OFF):
        content = router.document(plan.few, url, hooks=name == ON)
        port = free_port()
        child = stack.enter_context(gateway(router.written(folder, content, name), port))
        started.append((name, child, port))
    for _, child, port in started:
        wait(child, port)
    sides = {name: Side(f"http://{HOST}:{port}", body, child.pid) for name, child, port in started}
    for name, side in sides.items():
        _check(side, hooks=name == ON)
    return sides


def _check(side: Side, *, hooks: bool) -> None:
    """One request whose answer is looked at: wrk looks at the status alone."""
    answer = httpx.post(
        side.url + PATH,
        content=side.body.read_bytes(),
        headers={"authorization": f"Bearer {MASTER_KEY}", "content-type": "application/json"},
        timeout=60,
        trust_env=False,
    )
    if answer.status_code != httpx.codes.OK:
        raise LoadFailed(f"{side.url} answered {answer.status_code}: {answer.text[:500]}")
    # Stock LiteLLM tells which deployment answered, our hooks never do: each side is what it is called.
    if ("x-litellm-model-id" in answer.headers) is hooks:
        raise LoadFailed(f"{side.url}: the hooks are {'not ' if hooks else ''}at work there")


@contextlib.contextmanager
def upstream(folder: Path, module: str = "bench.upstream") -> Iterator[str]:
    """Start a module that listens on the port of its argument; its log goes to the folder. Its URL."""
    port = free_port()
    command = [sys.executable, "-m", module, str(port)]
    child = ChildProcess(
        "upstream", command, {**environ(), "PYTHONPATH": str(REPOSITORY)}, folder / "upstream.log"
    )
    url = f"http://{HOST}:{port}"
    try:
        _listening(child, url)
        yield url
    finally:
        end_all([child])


def _listening(child: ChildProcess, url: str) -> None:
    for _ in range(250):
        with contextlib.suppress(httpx.TransportError):
            httpx.post(url, content=b"{}", timeout=2, trust_env=False).raise_for_status()
            return
        time.sleep(0.02)
    raise RuntimeError(f"the upstream does not answer:\n{child.log.read_text(errors='replace')}")
