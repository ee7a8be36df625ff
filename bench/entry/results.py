"""Results in ai-gateway-bench's form: its load probe's JSON, and the CSV files of its charts."""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.wrk import Load

DIRECT: Final = "direct"
"""The side that asks the upstream without a gateway."""


@dataclass(frozen=True, slots=True)
class Result:
    """What its load probe writes of one side at one concurrency; each figure is the median of the rounds."""

    label: str
    url: str
    count: int
    concurrency: int
    elapsed_s: float
    rps: float
    latency_p50_ms: float
    latency_p99_ms: float
    errors: tuple[str, ...] = ()
    """Always empty: a request that fails ends the run, since errors are answered faster."""

    @classmethod
    def of(cls, label: str, url: str, concurrency: int, rounds: Sequence[Load]) -> Result:
        """The result of some rounds."""
        return cls(
            label,
            url,
            sum(one.requests for one in rounds),
            concurrency,
            round(sum(one.seconds for one in rounds), 3),
            round(statistics.median(one.rate for one in rounds), 2),
            round(statistics.median(one.p50 for one in rounds) / 1e3, 3),
            round(statistics.median(one.p99 for one in rounds) / 1e3, 3),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One gateway at one concurrency, less the upstream alone."""

    gateway: str
    concurrency: int
    rps: float
    p50_added_latency_ms: float
    p99_added_latency_ms: float
    peak_rss_mb: float | None


def rows(results: Iterable[Result], memory: Mapping[str, float | None]) -> list[Row]:
    """What each gateway adds; `memory` has the megabytes of each."""
    every = list(results)
    alone = {one.concurrency: one for one in every if one.label == DIRECT}
    return [
        Row(
            one.label,
            one.concurrency,
            one.rps,
            round(one.latency_p50_ms - alone[one.concurrency].latency_p50_ms, 3),
            round(one.latency_p99_ms - alone[one.concurrency].latency_p99_ms, 3),
            memory[one.label],
        )
        for one in every
        if one.label != DIRECT
    ]


def table(found: Sequence[Row]) -> str:
    """The rows as CSV with all columns, which is what is printed."""
    every = (["" if value is None else str(value) for value in asdict(one).values()] for one in found)
    return "\n".join(",".join(one) for one in [Row.__slots__, *every])


def write(folder: Path, results: Iterable[Result], found: Sequence[Row]) -> None:
    """Write a JSON file for each result, and the two CSV files of its charts."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in results:
        name = f"{one.label.replace('-', '_')}_messages_c{one.concurrency}.json"
        (folder / name).write_text(json.dumps(asdict(one), indent=2) + "\n", encoding="utf-8")
    least = min(one.concurrency for one in found)
    comparison = [one for one in found if one.concurrency == least]
    _csv(folder / "overhead_comparison.csv", ("gateway", "p99_added_latency_ms", "peak_rss_mb"), comparison)
    _csv(folder / "latency_vs_concurrency.csv", ("gateway", "concurrency", "p99_added_latency_ms"), found)


def _csv(path: Path, names: Sequence[str], found: Iterable[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(asdict(one) for one in found)
