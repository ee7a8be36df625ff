"""Time per hook, in process: LiteLLMs of four kinds, each asked in turn, batch by batch."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import router, taps
from bench.figure import FEWEST_FOR_P99, OFF, ON, Aim, Figure, Measure, paired, percentile, turns
from bench.plan import Plan
from bench.prompt import SIZES
from bench.router import LANE, MEMORY, PLAIN, SQLITE
from bench.taps import WHOLE, Walk
from bench.walkers import Walker, walking

SECTION: Final = "hooks"
FEW, MANY, STORED, STOCK = "few", "many", "stored", "stock"
"""The walkers: few handles, many, few with counters in SQLite, and stock LiteLLM without our hooks."""
UPSTREAM: Final = "http://upstream.invalid"
"""Never called: a stand-in takes the place of every upstream."""
CHAIN: Final = "whole chain: all hooks that the client waits for"
ALONE: Final = "whole chain, the hooks called directly"
AIMS: Final = {"1 KB": Aim(100, "p99"), "1 MB": Aim(1000, "p99")}
"""Microseconds for the whole chain."""
SHARE: Final = "share of stock's whole request: all hooks that the client waits for"
SHARE_AIMS: Final = {
    (PLAIN, "1 KB"): Aim(1.0),
    (LANE, "1 KB"): Aim(2.5),
    (PLAIN, "1 MB"): Aim(0.8),
    (LANE, "1 MB"): Aim(1.5),
}
"""Percent at the median (issue 11): a machine's speed halves and doubles, the share does not."""
SPREAD: Final = "p99 over median: all hooks that the client waits for"
SPREAD_AIM: Final = Aim(2.0)
FLAT: Final = Aim(1.2)
IN_PROCESS: Final = "one request after another through LiteLLM's own app in process, upstream a stand-in"
TAPPED: Final = f"{IN_PROCESS}; a stopwatch around each hook as LiteLLM calls it"
DIRECT: Final = (
    "what one such request gave the hooks is given to them again, one straight after the other: no work of "
    "LiteLLM's between them, so everything they need is in the processor's caches"
)


@dataclass(slots=True)
class Walks:
    """What one walker did for one handle and size: a batch for each round."""

    batches: list[list[Walk]] = field(default_factory=list)

    def seconds(self, of: Callable[[Walk], float]) -> list[float]:
        """A number of every request."""
        return [of(walk) for batch in self.batches for walk in batch]

    def medians(self, of: Callable[[Walk], float]) -> list[float]:
        """A number of every round."""
        return [statistics.median(map(of, batch)) for batch in self.batches]

    def steps(self) -> list[str]:
        """Our hooks that ran, in the order in which they first did."""
        found = {step: None for batch in self.batches for walk in batch for step in walk}
        return [step for step in found if step != WHOLE]


def chain(walk: Walk) -> float:
    """Seconds of all our hooks that the client waited for."""
    return sum(seconds for step, seconds in walk.items() if step != WHOLE and taps.awaited(step))


def measure(plan: Plan, say: Callable[[str], None]) -> Iterator[Figure]:
    """Every hook and their sum; with few handles and many; beside stock LiteLLM."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        say("hooks: starting four LiteLLMs")
        with walking(_arguments(plan, folder), folder) as walkers:
            for size in SIZES:
                for handle in (PLAIN, LANE):
                    say(f"hooks: {handle}, {size}")
                    yield from _figures(plan, handle, size, _walked(plan, walkers, handle, size))
                    yield from _direct(plan, handle, size, _replayed(plan, walkers, handle, size))


def _arguments(plan: Plan, folder: Path) -> dict[str, list[str | Path]]:
    def file(name: str, handles: int, *, hooks: bool = True, state: str = MEMORY) -> Path:
        content = router.document(handles, UPSTREAM, hooks=hooks, state=state)
        return router.written(folder, content, name)

    few, many = file(FEW, plan.few), file(MANY, plan.many)
    return {
        FEW: [few, "--taps"],
        MANY: [few, "--taps", "--settings", many],
        STORED: [file(STORED, plan.few, state=SQLITE), "--taps"],
        STOCK: [file(STOCK, plan.few, hooks=False)],
    }


def _walked(plan: Plan, walkers: dict[str, Walker], handle: str, size: str) -> dict[str, Walks]:
    def walk(name: str) -> list[Walk]:
        return walkers[name].walk(handle, SIZES[size], plan.walk_requests[size])

    return _in_turn(plan, [*walkers], walk)


def _replayed(plan: Plan, walkers: dict[str, Walker], handle: str, size: str) -> dict[str, Walks]:
    def again(name: str) -> list[Walk]:
        return walkers[name].walk(handle, SIZES[size], 0, replays=plan.replays[size])

    return _in_turn(plan, [FEW, MANY], again)


def _in_turn(plan: Plan, names: list[str], batch: Callable[[str], list[Walk]]) -> dict[str, Walks]:
    walks = {name: Walks() for name in names}
    for name in names:
        batch(name)  # the first one loads what is lazy
    for order in turns(names, plan.walk_rounds):
        for name in order:
            walks[name].batches.append(batch(name))
    return walks


def _figures(plan: Plan, handle: str, size: str, walks: dict[str, Walks]) -> Iterator[Figure]:
    asked = {"handle": handle, "prompt": size}
    few, stored = {"handles": str(plan.few)}, {"state": "sqlite"}
    for step in walks[FEW].steps():
        yield _microseconds(step, asked | few, walks[FEW].seconds(_of(step)))
    for name, more in ((FEW, few), (MANY, {"handles": str(plan.many)}), (STORED, few | stored)):
        yield _microseconds(CHAIN, asked | more, walks[name].seconds(chain), AIMS[size])
    yield _flat(CHAIN, TAPPED, plan, asked, walks, chain)
    yield from shares(asked | few, walks[FEW], walks[STOCK])
    for name, hooks in ((FEW, ON), (STOCK, OFF)):
        yield _whole(hooks, asked | few, walks[name])
    how = f"{IN_PROCESS}; hooks on by off, the medians of each round"
    ratios = paired(walks[FEW].medians(_whole_of), walks[STOCK].medians(_whole_of))
    yield Measure(SECTION, f"{WHOLE}, on / off", "ratio", how, parameters=asked | few).of(ratios)


def shares(parameters: dict[str, str], ours: Walks, stock: Walks) -> Iterator[Figure]:
    """The chain as a share of stock's whole request, by round; and its p99 over its median, if it has one."""
    how = f"{TAPPED}; by the whole request of stock LiteLLM, the medians of each round"
    rounds = paired(ours.medians(chain), stock.medians(_whole_of))
    aim = SHARE_AIMS[parameters["handle"], parameters["prompt"]]
    yield Measure(SECTION, SHARE, "%", how, parameters=parameters, aim=aim).of([one * 100 for one in rounds])
    seconds = sorted(ours.seconds(chain))
    if len(seconds) >= FEWEST_FOR_P99:
        spread = percentile(seconds, 99) / statistics.median(seconds)
        yield Measure(SECTION, SPREAD, "ratio", TAPPED, ON, parameters, SPREAD_AIM).of([spread])


def _direct(plan: Plan, handle: str, size: str, walks: dict[str, Walks]) -> Iterator[Figure]:
    asked = {"handle": handle, "prompt": size}
    for name, handles in ((FEW, plan.few), (MANY, plan.many)):
        measured = Measure(SECTION, ALONE, "us", DIRECT, ON, asked | {"handles": str(handles)}, AIMS[size])
        yield measured.of([second * 1e6 for second in walks[name].seconds(_of(taps.DIRECTLY))])
    yield _flat(ALONE, DIRECT, plan, asked, walks, _of(taps.DIRECTLY))


def _microseconds(
    what: str, parameters: dict[str, str], seconds: list[float], aim: Aim | None = None
) -> Figure:
    measured = Measure(SECTION, what, "us", TAPPED, ON, parameters, aim)
    return measured.of([second * 1e6 for second in seconds])


def _flat(
    what: str,
    how: str,
    plan: Plan,
    asked: dict[str, str],
    walks: dict[str, Walks],
    of: Callable[[Walk], float],
) -> Figure:
    how = (
        f"{how}; the medians of each round. LiteLLM's own router has the {plan.few} handles that it needs "
        "in both: on 10,000 it takes two minutes to start"
    )
    ratios = paired(walks[MANY].medians(of), walks[FEW].medians(of))
    named = f"{what}, {plan.many:,} handles / {plan.few}"
    return Measure(SECTION, named, "ratio", how, ON, asked, FLAT).of(ratios)


def _whole(hooks: str, parameters: dict[str, str], walks: Walks) -> Figure:
    what = f"{WHOLE}, client and stand-in included"
    seconds = walks.seconds(_whole_of)
    return Measure(SECTION, what, "us", IN_PROCESS, hooks, parameters).of([one * 1e6 for one in seconds])


def _whole_of(walk: Walk) -> float:
    return walk[WHOLE]


def _of(step: str) -> Callable[[Walk], float]:
    return lambda walk: walk.get(step, 0.0)
