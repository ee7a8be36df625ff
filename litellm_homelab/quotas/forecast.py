"""When a window will be used up, if the rest of it is used at the same rate."""

from __future__ import annotations

from typing import Final

from litellm_homelab.quotas.windows import Instant, Per, Window

LONG: Final = frozenset({Per.DAY, Per.WEEK, Per.MONTH})
"""Windows that are worth a forecast: shorter ones are over before anyone could act."""
SHORTEST: Final = 3600
"""Seconds of a window that a forecast needs at least: a burst after midnight says little about a day."""


def used_up_at(window: Window, used: int, limit: int | None, at: Instant) -> Instant | None:
    """
    The moment at which nothing is left, as seconds since the epoch; None where the window ends before it.

    Of a window without a limit nothing can be said.
    """
    if limit is None or used <= 0:
        return None
    if used >= limit:
        return at
    span = window.calendar.span(at)
    found = at + (limit - used) * max(at - span.start, SHORTEST) / used
    return found if found < span.end else None
