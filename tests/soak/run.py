"""Runs the load on a gateway of ours and on stock LiteLLM, samples both, compares counts with the truth."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from tests.real.gateway import ROUTER, Gateway, gateway, process_on
from tests.real.lane.rig import read, stock
from tests.soak.load import Load
from tests.soak.slope import Sample, slopes

RSS, DESCRIPTORS, SERIES, ROWS = "memory, KB", "descriptors", "series", "rows"
BOUNDS: Final = {DESCRIPTORS: 3.0, SERIES: 0.5, ROWS: 20.0}
"""
How much may be added in 1,000 requests.

A descriptor or row that one kind of request left behind would add 200. What may be added is what the number
of requests under way makes of a line through few samples.
"""
OVER_STOCK: Final = {RSS: 150.0}
"""
How much more than stock LiteLLM may be added in 1,000 requests, in the same run and under the same load.

LiteLLM's own memory grows in steps: 7.4 MB after some 5,500 requests, on both sides (1.108.7, 2026-11-27).
"""
EVERY: Final = 5.0
"""Seconds between two samples."""
SETTLE_SECONDS: Final = 5.0
"""LiteLLM counts after the answer."""
TABLES: Final = ("homelab_state", "homelab_pools", "homelab_accounts")
CHAT: Final = "/chat/completions"
KEY: Final = "sk-soak-soak-soak"
COUNTER: Final = re.compile(r"^(homelab_\w+?)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass(slots=True)
class Side:
    """One of the two gateways under load."""

    gateway: Gateway
    load: Load
    store: Path | None = None
    samples: list[Sample] = field(default_factory=list)
    received: int = 0
    """Chat requests that the backends, OptiLLM among them, have received."""
    _last: int = 0

    @property
    def pid(self) -> int:
        """Its process."""
        return process_on(int(self.gateway.url.rpartition(":")[2])).pid

    def metrics(self) -> str:
        """Its `/metrics/`."""
        return self.gateway.client.get("/metrics/").text

    def total(self, name: str, **labels: str) -> float:
        """The sum of a series over all labels but those that are given."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        found = COUNTER.findall(self.metrics())
        return sum(
            float(value) for one, text, value in found if one == name and all(w in text for w in wanted)
        )

    def sample(self, since: float) -> None:
        """Look at it once."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        values = {
            RSS: float(status.partition("VmRSS:")[2].split()[0]),
            DESCRIPTORS: float(len([*Path(f"/proc/{self.pid}/fd").iterdir()])),
            SERIES: float(sum(not line.startswith("#") for line in self.metrics().splitlines())),
            **({ROWS: _rows(self.store)} if self.store else {}),
        }
        self.samples.append(Sample(time.monotonic() - since, self.load.requests, values))
        self.count()

    def count(self) -> None:
        """Add what the backends have received since the last time; their list is bounded."""
        new = [one for one in self.gateway.demo.requests() if one.number > self._last]
        self._last = max((one.number for one in new), default=self._last)
        self.received += sum(one.method == "POST" and one.path.endswith(CHAT) for one in new)


@dataclass(frozen=True, slots=True)
class Result:
    """What a run has shown."""

    ours: Side
    stock: Side
    warm_up: float
    untrue: tuple[str, ...]
    """One line for each counter that differs from what was really there."""

    def slopes(self) -> dict[str, dict[str, float]]:
        """By side and value, how much is added in 1,000 requests."""
        sides = {"ours": self.ours, "stock": self.stock}
        return {name: slopes(side.samples, self.warm_up) for name, side in sides.items()}


def soak(seconds: float, warm_up: float, say: Callable[[str], None] = lambda _: None) -> Result:
    """Run both gateways under the load for so long."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name, contextlib.ExitStack() as stack:
        ours, plain = (stack.enter_context(side) for side in _sides(Path(name)))
        since = time.monotonic()
        loads = [threading.Thread(target=_run, args=(side.load, seconds)) for side in (ours, plain)]
        for load in loads:
            load.start()
        while any(load.is_alive() for load in loads):
            loads[0].join(EVERY)
            for side in (ours, plain):
                side.sample(since)
            say(_line(ours, plain))
        time.sleep(SETTLE_SECONDS)
        ours.count()
        return Result(ours, plain, warm_up, tuple(_untrue(ours)))


def _run(load: Load, seconds: float) -> None:
    asyncio.run(load.run(seconds))


def _sides(folder: Path) -> Iterator[contextlib.AbstractContextManager[Side]]:
    store = folder / "homelab.db"
    yield _side(ROUTER, {"HOMELAB_STATE": f"sqlite:///{store}"}, store)
    file = folder / "stock.yaml"
    file.write_text(yaml.safe_dump(stock(read(ROUTER)), sort_keys=False), encoding="utf-8")
    yield _side(file, {"OPTILLM_UPSTREAM_KEY": KEY}, None)


@contextlib.contextmanager
def _side(config: Path, environ: dict[str, str], store: Path | None) -> Iterator[Side]:
    with gateway(config, environ={"LITELLM_MASTER_KEY": KEY, **environ}) as running:
        yield Side(running, Load(running.url, running.key), store)


def _rows(file: Path) -> float:
    with contextlib.closing(sqlite3.connect(file, timeout=10)) as store:
        return float(sum(store.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in TABLES))


def _untrue(side: Side) -> Iterator[str]:
    """What our counters say beside what the client and the backends have counted."""
    load = side.load
    for what, said, true in (
        ("attempts", side.total("homelab_attempts_total"), side.received),
        ("refusals", side.total("homelab_refusals_total"), load.of("refused", 404)),
        ("roots", side.total("homelab_approach_requests_total", handle="boost"), load.of("optillm", 200)),
        ("calls back", side.total("homelab_optillm_children_sum"), 3 * load.of("optillm", 200)),
    ):
        if said != true:
            yield f"{what}: {said:.0f} counted, {true} were there"


def _line(*sides: Side) -> str:
    return "   ".join(
        f"{side.samples[-1].requests} requests "
        + ", ".join(f"{name} {value:.0f}" for name, value in side.samples[-1].values.items())
        for side in sides
    )
