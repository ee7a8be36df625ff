"""The most memory that a process has while it is under load."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

EVERY_SECONDS: Final = 0.25
RESIDENT: Final = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)


def resident_mb(pid: int, proc: Path = Path("/proc")) -> float | None:
    """Megabytes that a process has in memory now; None where no /proc tells it (macOS)."""
    try:
        found = RESIDENT.search((proc / str(pid) / "status").read_text())
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None


class Peak:
    """The highest of the samples so far, in megabytes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.megabytes: float | None = None

    @contextlib.contextmanager
    def sampled(self) -> Iterator[None]:
        """Look again and again until the block ends."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended: threading.Event) -> None:
        while True:
            found = resident_mb(self._pid)
            if found is not None:
                self.megabytes = max(round(found, 3), self.megabytes or 0.0)
            if ended.wait(EVERY_SECONDS):
                return
