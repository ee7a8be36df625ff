"""When a window will be used up at its present rate."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from litellm_homelab.quotas.forecast import used_up_at
from litellm_homelab.quotas.windows import Calendar, Per, Unit, Window

MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
HOUR = 3600


@pytest.mark.parametrize(
    ("used", "limit", "after", "expected"),
    [
        (500, 1000, 9 * HOUR, 18 * HOUR),
        (600, 1000, 9 * HOUR, 15 * HOUR),
        (100, 1000, 12 * HOUR, None),
        (1000, 1000, 9 * HOUR, 9 * HOUR),
        (1200, 1000, 9 * HOUR, 9 * HOUR),
        (0, 1000, 9 * HOUR, None),
        (5, None, 9 * HOUR, None),
        (20, 1000, 60, None),
        (500, 1000, 60, HOUR + 60),
    ],
    ids=["pace", "faster", "enough", "used up", "over", "unused", "no limit", "early burst", "large burst"],
)
def test_the_moment_at_which_nothing_is_left(
    used: int, limit: int | None, after: float, expected: float | None
) -> None:
    """A day's use so far goes on as it is, measured over an hour at least; none where the day is enough."""
    window = Window(Unit.REQUESTS, limit, Calendar(Per.DAY))
    found = used_up_at(window, used, limit, MIDNIGHT + after)
    assert found == (None if expected is None else MIDNIGHT + expected)
