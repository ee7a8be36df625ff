"""A server that a test kills and starts again on the same port."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

START_SECONDS = 90.0


@dataclass(slots=True)
class Killable:
    """A command that serves `health` once it is ready; it gets the PATH and `environ`, nothing else."""

    command: Sequence[str]
    health: str
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environ}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command, env=variables, stdout=log, stderr=log)
        give_up_at = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < give_up_at:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.health, timeout=2).status_code == httpx.codes.OK:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"{self.command[0]} did not start: {(self.folder / 'log').read_text()[-3000:]}")

    def kill(self) -> None:
        """Kill -9, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None
