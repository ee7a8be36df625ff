"""What a row of samples says: how fast something grows with the number of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

PER: Final = 1000
"""Requests to which a slope refers."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment."""

    seconds: float
    """Since the load began."""
    requests: int
    """Answered so far."""
    values: Mapping[str, float]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """
    The slope of the straight line that fits best (least squares).

    Raises:
        ValueError: fewer than two different x.

    """
    if len({x for x, _ in points}) < 2:
        raise ValueError("a slope needs two different points")
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return above / sum((x - mean_x) ** 2 for x, _ in points)


def slopes(samples: Sequence[Sample], warm_up: float) -> dict[str, float]:
    """How much each value grows in `PER` requests, samples of the first `warm_up` seconds left out."""
    kept = [one for one in samples if one.seconds >= warm_up]
    names = kept[0].values if kept else {}
    return {name: PER * slope([(one.requests, one.values[name]) for one in kept]) for name in names}


def over(ours: Mapping[str, float], stock: Mapping[str, float]) -> dict[str, float]:
    """How much faster ours grows than stock's, of the values that both have."""
    return {name: value - stock[name] for name, value in ours.items() if name in stock}


def above(found: Mapping[str, float], bounds: Mapping[str, float], note: str = "") -> list[str]:
    """One line for each value that grows faster than its bound; a value without a bound may."""
    said = f" {note}" if note else ""
    return [
        f"{name}: {found[name]:+.2f}{said} in {PER} requests, at most {most:+.2f}"
        for name, most in bounds.items()
        if found[name] > most
    ]
