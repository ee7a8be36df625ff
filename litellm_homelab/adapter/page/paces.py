"""How fast handles answered in the last minute, from what the metrics have counted anyway."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

SECONDS: Final = 60.0
Counted: TypeAlias = Mapping[str, tuple[float, int]]
"""By handle: the sum of the speeds of all answers so far, and how many they are."""


class Paces:
    """Compares what is counted now with what was counted at the looks of the last minute."""

    def __init__(self, counted: Callable[[], Counted], clock: Callable[[], float] = time.monotonic) -> None:
        self._counted, self._clock = counted, clock
        self._looks: deque[tuple[float, Counted]] = deque()

    def look(self) -> dict[str, tuple[float, int]]:
        """By handle what came since the oldest of these looks; nothing at the first."""
        now, counted = self._clock(), self._counted()
        while self._looks and now - self._looks[0][0] > SECONDS:
            self._looks.popleft()
        before = self._looks[0][1] if self._looks else counted
        self._looks.append((now, counted))
        found = {}
        for handle, (total, number) in counted.items():
            total_before, number_before = before.get(handle, (0.0, 0))
            if number > number_before:
                found[handle] = (total - total_before, number - number_before)
        return found
