"""One run of wrk, the load generator."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.router import MASTER_KEY

SCRIPT: Final = Path(__file__).with_name("post.lua")
ERRORS: Final = ("connect", "read", "write", "timeout", "status")
MISSING: Final = "wrk is not installed; it makes the load (Debian: apt-get install wrk)"


class LoadFailed(RuntimeError):
    """Requests that were not answered with a 200, or a wrk that did not run; then no number counts."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw; latencies in microseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    processor: float | None = None
    """The gateway's own processor time for a request, in milliseconds; None where it cannot be told."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def installed() -> bool:
    """Whether there is a wrk to run."""
    return shutil.which("wrk") is not None


def run(url: str, body: Path, *, connections: int, seconds: int) -> Load:
    """
    Send the file `body` to `url` over and over, one thread, as often as answers come.

    Raises:
        LoadFailed: see there.

    """
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(SCRIPT)]
    command = ["wrk", *options, url, "--", str(body), MASTER_KEY]
    done = subprocess.run(  # noqa: S603 - our own command line
        command, capture_output=True, text=True, check=False, timeout=seconds + 60
    )
    if done.returncode != 0:
        raise LoadFailed(f"wrk ended with {done.returncode}: {done.stderr or done.stdout}")
    return read(done.stdout)


def read(output: str) -> Load:
    """
    Read the line that `post.lua` prints at the end.

    Raises:
        LoadFailed: no such line, no request, or one that failed.

    """
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        raise LoadFailed(f"wrk printed no summary:\n{output}")
    found: dict[str, float] = json.loads(lines[-1])
    failed = {name: found[name] for name in ERRORS if found[name]}
    if failed or not found["requests"]:
        raise LoadFailed(f"of {found['requests']} requests failed: {failed or 'all'}")
    return Load(int(found["requests"]), found["microseconds"] / 1e6, found["p50"], found["p99"])
