"""A real server as a process of its own: started, waited for, ended."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from litellm_homelab.cli.child import ChildProcess, end_all

REPOSITORY = Path(__file__).parents[2]
VENVS = REPOSITORY / ".cache" / "venvs"
START_SECONDS = 90
"""OptiLLM takes 5 s on two idle cores, mlx_lm.server 3 s; a busy machine several times that."""


@contextmanager
def running(
    name: str, command: Sequence[str | Path], environ: Mapping[str, str], health: str
) -> Iterator[ChildProcess]:
    """Run `command` for the length of the block, entered once GET `health` answers 200."""
    if not Path(command[0]).exists():
        raise FileNotFoundError(f"{command[0]}: not installed; `make test-real` installs it first")
    with tempfile.TemporaryDirectory(prefix="homelab-") as home:
        # No variable of the developer's shell reaches it: keys there would change what it does.
        child = ChildProcess(name, command, {"HOME": home, **environ}, Path(home) / f"{name}.log")
        try:
            _wait(child, health)
            yield child
        finally:
            end_all([child], grace=5)


def _wait(child: ChildProcess, health: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(health):
        if child.exit_status() is not None or time.monotonic() > deadline:
            log = child.log.read_text(errors="replace")[-3000:]
            raise RuntimeError(
                f"{child.name}: no answer from {health}, exit {child.exit_status()}; log:\n{log}"
            )
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
