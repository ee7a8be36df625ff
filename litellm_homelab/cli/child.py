"""Child processes that are ended together, with all they started themselves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

GRACE_SECONDS = 10.0
"""How long a child may take to end by itself; LiteLLM with open streams would wait for them."""

_POLL_SECONDS = 0.05


class ChildProcess:
    """A process that leads a process group of its own and writes to a log file."""

    def __init__(
        self, name: str, command: Sequence[str | Path], environ: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C then reaches only us, and we end the children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id, which is its group's."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs; else its status as a shell gives it: 128 + number for a signal."""
        status = self._process.poll()
        return 128 - status if status is not None and status < 0 else status

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, of which nothing may be left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def group_is_gone(self) -> bool:
        """Whether neither the process nor any of its group is left."""
        if self._process.poll() is None:
            return False
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return True
        return False


def end_all(children: Iterable[ChildProcess], grace: float = GRACE_SECONDS) -> None:
    """End the children and their groups: SIGTERM, and after ``grace`` seconds SIGKILL to what is left."""
    left = list(children)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for child in left:
            child.signal(number)
        deadline = time.monotonic() + grace
        while left and time.monotonic() < deadline:
            left = [child for child in left if not child.group_is_gone()]
            time.sleep(_POLL_SECONDS)
