"""One measured thing: its number, its unit, its spread, and how it was measured."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

FEWEST_FOR_P99: Final = 100
"""With fewer rounds than this a 99th percentile is the worst round by another name."""
ON: Final = "on"
OFF: Final = "off"
NEITHER: Final = "-"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should stay below; `of` names the figure's attribute that is meant."""

    below: float
    of: str = "median"


@dataclass(frozen=True, slots=True)
class Figure:
    """The rounds of one measurement, summed up; every number is in `unit`."""

    section: str
    what: str
    unit: str
    hooks: str
    """`on`, `off`, or `-` for a comparison of both and for what knows neither."""
    parameters: Mapping[str, str]
    n: int
    """Rounds, each of which gave one number."""
    median: float
    p99: float | None
    least: float
    most: float
    how: str
    aim: Aim | None = None

    @property
    def reached(self) -> bool | None:
        """Whether the aim was met; None where there is none, or too few rounds to tell."""
        value = getattr(self, self.aim.of) if self.aim else None
        return None if self.aim is None or value is None else bool(value < self.aim.below)

    def document(self) -> dict[str, Any]:
        """The figure for JSON."""
        return {**asdict(self), "reached": self.reached}


@dataclass(frozen=True, slots=True)
class Measure:
    """What the rounds are of; `of` makes the figure from them."""

    section: str
    what: str
    unit: str
    how: str
    hooks: str = NEITHER
    parameters: Mapping[str, str] = field(default_factory=dict)
    aim: Aim | None = None

    def of(self, rounds: Sequence[float]) -> Figure:
        """
        Sum up the rounds.

        Raises:
            ValueError: there are none.

        """
        if not rounds:
            raise ValueError(f"{self.section}: nothing was measured of {self.what!r}")
        ordered = sorted(rounds)
        return Figure(
            self.section,
            self.what,
            self.unit,
            self.hooks,
            dict(self.parameters),
            len(ordered),
            statistics.median(ordered),
            percentile(ordered, 99) if len(ordered) >= FEWEST_FOR_P99 else None,
            ordered[0],
            ordered[-1],
            self.how,
            self.aim,
        )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of numbers in ascending order: one that was measured, none in between."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def paired(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """
    First by second, round by round: what a slow moment does to both rounds of a pair is not in the quotient.

    Raises:
        ValueError: a round without its partner, or one of nothing.

    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} rounds cannot be paired with {len(second)}")
    if not all(second):
        raise ValueError("a round of 0 cannot be compared with")
    return [one / other for one, other in zip(first, second, strict=True)]


def losses(on: Sequence[float], off: Sequence[float]) -> list[float]:
    """Percent of a rate that is lost with the hooks on, pair by pair; negative where they were faster."""
    return [(1 - ratio) * 100 for ratio in paired(on, off)]


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """First less second, round by round."""
    return [one - other for one, other in zip(first, second, strict=True)]


def turns(sides: Sequence[str], rounds: int) -> list[tuple[str, ...]]:
    """The order of the sides in each round, turned round every time (ABBA): a drift hits all alike."""
    return [tuple(sides if number % 2 == 0 else reversed(sides)) for number in range(rounds)]
