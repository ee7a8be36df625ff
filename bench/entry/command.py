"""
Runs the entry: what LiteLLM adds to an upstream's latency with and without the plugin.

    python -m bench entry [--concurrency 1,4,16] [--seconds 10] [--rounds 3] [--output FOLDER]

Exit 0: measured; 1: something did not answer as it should, so nothing is said; 2: it cannot be measured here.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from bench import wrk
from bench.entry import results
from bench.entry.memory import Peak
from bench.entry.results import DIRECT, Result
from bench.figure import turns
from bench.load import upstream
from bench.processes import HOST, free_port, gateway, wait
from bench.router import MASTER_KEY
from bench.wrk import Load, LoadFailed
from litellm_homelab.cli.child import ChildProcess

GATEWAYS: Final = Path(__file__).with_name("gateways")
STOCK, OURS = "litellm-python", "litellm-homelab"
UPSTREAM: Final = "http://127.0.0.1:9000"
"""Where the benchmark's upstream is, as the configurations say it."""
PATH: Final = "/v1/messages"
BODY: Final = {
    "model": "anthropic/mock",
    "max_tokens": 40,
    "stream": False,
    "messages": [{"role": "user", "content": "token " * 32}],
}
"""What its load probe sends."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is loaded: a gateway, or the upstream alone."""

    label: str
    url: str
    peak: Peak | None = None

    def load(self, body: Path, concurrency: int, seconds: int) -> Load:
        """One run of wrk."""
        with self.peak.sampled() if self.peak is not None else contextlib.nullcontext():
            return wrk.run(self.url, body, connections=concurrency, seconds=seconds)


def main(argv: list[str]) -> int:
    """Measure, print, and write the results where `--output` says."""
    arguments = _parser().parse_args(argv)
    if not wrk.installed():
        _say(wrk.MISSING)
        return 2
    try:
        found, memory = measured(arguments.concurrency, arguments.seconds, arguments.rounds)
    except RuntimeError as error:
        _say(str(error))
        return 1
    rows = results.rows(found, memory)
    print(results.table(rows))  # noqa: T201 - a command line prints
    if arguments.output is not None:
        results.write(arguments.output, found, rows)
    return 0


def measured(
    concurrencies: list[int], seconds: int, rounds: int
) -> tuple[list[Result], dict[str, float | None]]:
    """
    The results of each side at each concurrency, and the peak memory of each gateway in megabytes.

    Raises:
        RuntimeError: a side did not answer with a 200.

    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        _say("entry: starting an upstream and two gateways")
        sides = _sides(folder, stack)
        body = folder / "body.json"
        body.write_text(json.dumps(BODY), encoding="utf-8")
        loads: dict[tuple[str, int], list[Load]] = {}
        for concurrency in concurrencies:
            _say(f"entry: {concurrency} at a time, {rounds} rounds of {seconds} s for each of {len(sides)}")
            for order in turns([*sides], rounds):
                for label in order:
                    load = sides[label].load(body, concurrency, seconds)
                    loads.setdefault((label, concurrency), []).append(load)
        found = [Result.of(label, sides[label].url, number, of) for (label, number), of in loads.items()]
        memory = {one.label: one.peak.megabytes for one in sides.values() if one.peak is not None}
    return found, memory


def _sides(folder: Path, stack: contextlib.ExitStack) -> dict[str, Side]:
    url = stack.enter_context(upstream(folder, "bench.entry.mock"))
    sides = {DIRECT: Side(DIRECT, url + PATH)}
    for label, child, port in [*_started(folder, url, stack)]:  # both start before either is waited for
        wait(child, port)
        sides[label] = Side(label, f"http://{HOST}:{port}{PATH}", Peak(child.pid))
        _check(sides[label])
    return sides


def _started(folder: Path, url: str, stack: contextlib.ExitStack) -> Iterator[tuple[str, ChildProcess, int]]:
    """Both gateways, on the files of the entry with this run's upstream in them."""
    for label in (STOCK, OURS):
        text = (GATEWAYS / label / "config.yaml").read_text(encoding="utf-8")
        file = folder / label / "config.yaml"
        file.parent.mkdir()
        file.write_text(text.replace(UPSTREAM, url), encoding="utf-8")
        port = free_port()
        yield label, stack.enter_context(gateway(file, port)), port


def _check(side: Side) -> None:
    """One request whose answer is looked at: stock LiteLLM names the deployment, the plugin never does."""
    headers = {"authorization": f"Bearer {MASTER_KEY}"}
    answer = httpx.post(side.url, json=BODY, headers=headers, timeout=60, trust_env=False)
    if answer.status_code != httpx.codes.OK:
        raise LoadFailed(f"{side.label} answered {answer.status_code}: {answer.text[:500]}")
    if ("x-litellm-model-id" in answer.headers) is (side.label == OURS):
        raise LoadFailed(f"{side.label}: the plugin is {'not ' if side.label == OURS else ''}at work there")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench entry", description="An entry for ai-gateway-bench: the plugin on and off."
    )
    parser.add_argument("--concurrency", type=_numbers, default=[1, 4, 16], metavar="1,4,16")
    parser.add_argument("--seconds", type=int, default=10, help="of each round, at each concurrency")
    parser.add_argument("--rounds", type=int, default=3, help="each has a turn of every side")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write JSON and CSV of its form there")
    return parser


def _numbers(text: str) -> list[int]:
    found = [int(one) for one in text.split(",") if one.isdecimal() and int(one) > 0]
    if len(found) != len(text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list such as 1,4,16")
    return found


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a command line's progress
