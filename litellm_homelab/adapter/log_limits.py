"""Lines of the log that would repeat with every request are written once a minute."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Final

QUIET_SECONDS: Final = 60.0
"""How long a line is not written again."""
MOST: Final = 100
"""Lines that are remembered; with more of them, the oldest is forgotten and so written again."""


@dataclass(slots=True)
class Repeats:
    """Which lines were written lately, and how often each was left out since."""

    _seen: dict[str, tuple[float, int]] = field(default_factory=dict)

    def more(self, line: str, now: float) -> int | None:
        """
        How often `line` was left out since it was written, if it is to be written now; else None.

        `now` is in monotonic seconds.
        """
        written_at, left_out = self._seen.get(line, (-QUIET_SECONDS, 0))
        if line in self._seen and now - written_at < QUIET_SECONDS:
            self._seen[line] = (written_at, left_out + 1)
            return None
        self._seen.pop(line, None)
        self._seen[line] = (now, 0)
        if len(self._seen) > MOST:
            del self._seen[next(iter(self._seen))]
        return left_out


log = logging.getLogger("LiteLLM Proxy.homelab")
_repeats = Repeats()


def log_seldom(level: int, line: str) -> None:
    """Log a line that would repeat with every request, once a minute, with how often it was left out."""
    more = _repeats.more(line, time.monotonic())
    if more is not None:
        log.log(level, "%s%s", line, f" ({more} more of these since the last such line)" if more else "")
