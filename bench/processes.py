"""Processes that a measurement needs: started, waited for, ended, whatever happens."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bench.router import MASTER_KEY
from litellm_homelab.cli.child import ChildProcess, end_all
from litellm_homelab.cli.logtail import readable_tail

HOST: Final = "127.0.0.1"
REPOSITORY: Final = Path(__file__).parents[1]
START_SECONDS: Final = 180.0
"""A start of LiteLLM takes 5 to 14 s on two idle cores; a busy machine several times that."""
POLL_SECONDS: Final = 0.02
GRACE_SECONDS: Final = 5.0
USER_TICKS: Final = 11
"""Where utime stands in /proc/PID/stat behind the name, stime after it (proc_pid_stat(5))."""


def environ() -> dict[str, str]:
    """What a LiteLLM of the benchmark sees: nothing of the user's own but where programs are."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **inherited,
        "LITELLM_MASTER_KEY": MASTER_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # its price table would be fetched
        "PYTHONPATH": str(REPOSITORY),
    }


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def gateway(config: Path, port: int, *, variables: Mapping[str, str] | None = None) -> Iterator[ChildProcess]:
    """Start `litellm --config` as a user does, in the folder of its file; ends it after the block."""
    command = [str(Path(sys.executable).parent / "litellm"), "--config", str(config)]
    command += ["--host", HOST, "--port", str(port)]
    log = config.with_name(f"litellm-{port}.log")
    child = ChildProcess("litellm", command, {**environ(), **(variables or {})}, log)
    try:
        yield child
    finally:
        end_all([child], grace=GRACE_SECONDS)


def wait(child: ChildProcess, port: int) -> None:
    """
    Return at the first 200 of `/health/liveliness`, which is asked for every 20 ms.

    Raises:
        RuntimeError: it has ended, or does not answer in time; with the end of its log.

    """
    deadline = time.monotonic() + START_SECONDS
    while not answers(f"http://{HOST}:{port}/health/liveliness"):
        if child.exit_status() is not None or time.monotonic() > deadline:
            log = readable_tail(child.log.read_text(errors="replace"), 40)
            raise RuntimeError(f"{child.name} does not answer, exit {child.exit_status()}; its log:\n{log}")
        time.sleep(POLL_SECONDS)


def processor_seconds(pid: int, proc: Path = Path("/proc")) -> float | None:
    """User and system time of a process so far; None where no /proc tells it (macOS)."""
    stat = proc / str(pid) / "stat"
    if not stat.exists():
        return None
    after_name = stat.read_text().rpartition(")")[2].split()  # a name may have spaces and brackets in it
    ticks = int(after_name[USER_TICKS]) + int(after_name[USER_TICKS + 1])
    return ticks / os.sysconf("SC_CLK_TCK")


def answers(url: str) -> bool:
    """Whether GET `url` is a 200 now; a refused connection is a no that takes microseconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own http address
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
