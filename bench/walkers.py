"""Walkers (see `bench.walker`): processes that are asked for batches of requests, one at a time."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.processes import REPOSITORY, environ
from bench.taps import Walk


class Walker:
    """One of them; it works only while it is asked."""

    def __init__(self, arguments: Sequence[str | Path], log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "bench.walker", *map(str, arguments)],
                env=environ(),
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def ready(self) -> None:
        """Wait until it may be asked.

        Raises:
            RuntimeError: it has ended instead; with the end of its log.

        """
        self._line()

    def walk(self, handle: str, size: int, requests: int, *, replays: int = 0) -> list[Walk]:
        """Let it make requests, or replay the hooks of one; the seconds of the steps of each.

        Raises:
            RuntimeError: one of them was not answered with a 200.

        """
        if self._process.stdin is not None:
            order = {"handle": handle, "size": size, "requests": requests, "replays": replays}
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        walks: list[Walk] = json.loads(self._line())
        return walks

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            self._process.wait()
            raise RuntimeError(
                f"a walker has ended; its log:\n{self._log.read_text(errors='replace')[-3000:]}"
            )
        return line


@contextlib.contextmanager
def walking(arguments: Mapping[str, Sequence[str | Path]], folder: Path) -> Iterator[dict[str, Walker]]:
    """Start walkers by name, all at once; ends them after the block."""
    walkers: dict[str, Walker] = {}
    try:
        for name, own in arguments.items():
            walkers[name] = Walker(own, folder / f"{name}.log")
        for walker in walkers.values():
            walker.ready()
        yield walkers
    finally:
        for walker in walkers.values():
            walker.end()
