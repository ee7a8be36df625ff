"""What only a program started by GNU make has to know."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path


class Make:
    """
    The GNU make that started us, if one did.

    A make that alone gets a SIGINT (a terminal sends it to both) waits for its recipe without passing the
    signal on; it shows in SIGINT being blocked, since make waits inside its handler (GNU make 4.3,
    commands.c, fatal_error_signal; Linux only, elsewhere we are not told).  A make that is killed does not
    take us along.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        started_by_make = "MAKELEVEL" in environ
        self._pid = os.getppid() if started_by_make else None
        self._blocked_before = self._blocks_interrupt()

    def is_gone(self) -> bool:
        """Whether make was asked to stop, or has ended."""
        if self._pid is None:
            return False
        return os.getppid() != self._pid or (self._blocks_interrupt() and not self._blocked_before)

    def _blocks_interrupt(self) -> bool:
        try:
            status = Path(f"/proc/{self._pid}/status").read_text()
        except OSError:
            return False
        masks = dict(line.split(":\t", 1) for line in status.splitlines() if line.startswith("Sig"))
        return bool(int(masks.get("SigBlk", "0"), 16) >> (signal.SIGINT - 1) & 1)
