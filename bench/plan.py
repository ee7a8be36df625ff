"""How much of everything is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds of each section; every side of a comparison has its turn in each round."""

    few: int
    many: int
    """Handles of the small and of the large gateway."""
    walk_rounds: int
    walk_requests: Mapping[str, int]
    """Requests of each walker in a round, by the size of the prompt."""
    replays: Mapping[str, int]
    """The same for hooks that are called directly."""
    lane_rounds: int
    load_rounds: int
    load_seconds: int
    starts: int
    loops: int


FULL: Final = Plan(10, 10_000, 10, {"1 KB": 40, "1 MB": 10}, {"1 KB": 100, "1 MB": 20}, 300, 10, 4, 7, 20)
"""About nine minutes on two cores."""
QUICK: Final = Plan(10, 200, 2, {"1 KB": 3, "1 MB": 1}, {"1 KB": 3, "1 MB": 2}, 5, 2, 1, 1, 2)
"""Whether the benchmark works; its numbers say nothing."""
