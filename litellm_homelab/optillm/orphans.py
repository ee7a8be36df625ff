"""Calls of OptiLLM that belong to no request: how many may be under way together."""

from __future__ import annotations

from typing import Final

REST_SECONDS: Final = 30.0
"""
How long there must have been none, once they were cut off: OptiLLM's client and LiteLLM try again within 2 s
of each error, at every level of a loop (measured on OptiLLM 0.4.0 behind LiteLLM 1.106.2).
"""


class Orphans:
    """
    Counts those of this worker, and cuts them off where there are too many; times are monotonic seconds.

    A marked call is bounded by its root. One without a mark (a warm-up, OptiLLM used directly) is bounded
    here alone, and so is a loop that no mark survives: a model server that leads to OptiLLM by a way which
    router.yaml does not show. In such a loop each call waits for the next, and each that is refused is tried
    again by all above it; so after one too many none is let in until the loop has come down and rested.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._under_way = 0
        self._cut_off = False
        self._quiet_since = 0.0

    def enter(self, now: float) -> bool:
        """Admit one more, or not; one that is admitted must `leave`."""
        rested = self._under_way == 0 and now - self._quiet_since >= REST_SECONDS
        self._cut_off = self._under_way >= self.limit or (self._cut_off and not rested)
        if self._cut_off:
            return False
        self._under_way += 1
        return True

    def leave(self, now: float) -> None:
        """One that was let in has ended."""
        self._under_way -= 1
        self._quiet_since = now
