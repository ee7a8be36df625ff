"""`litellm-homelab up` as a process of its own, for tests."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import httpx

SECONDS = 120
"""How long anything may take before a test calls it hung."""


class Up:
    """A running `up` and what it has printed."""

    def __init__(self, folder: Path, command: list[str], environ: dict[str, str]) -> None:
        self.port = environ["PORT"]
        self._output = folder / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return self._output.read_text()

    def wait_for(self, line: str) -> None:
        """Wait until a line of its own has been printed, or fail with what was printed instead."""
        deadline = time.monotonic() + SECONDS
        while line not in self.output.splitlines():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def gateway_ends(self) -> bool:
        """Whether the child stops listening in time, of itself."""
        deadline = time.monotonic() + SECONDS
        while self.gateway_answers() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.gateway_answers()

    def gateway_answers(self) -> bool:
        """Whether the child still listens."""
        try:
            httpx.get(f"http://127.0.0.1:{self.port}/health/liveliness", timeout=2)
        except httpx.TransportError:
            return False
        return True
