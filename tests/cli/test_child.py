"""Children and what they started are ended together."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from litellm_homelab.cli.child import ChildProcess, end_all

WITH_GRANDCHILD = """\
import subprocess, sys, time
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(grandchild.pid, flush=True)
time.sleep(60)
"""
DEAF = """\
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


def started(program: str, log: Path) -> ChildProcess:
    """A child that runs a Python program and has printed something."""
    child = ChildProcess("child", [sys.executable, "-c", program], os.environ, log)
    deadline = time.monotonic() + 20
    while not log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return child


def is_running(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be collected."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def test_ends_the_grandchildren(tmp_path: Path) -> None:
    """What a child started ends with it."""
    child = started(WITH_GRANDCHILD, tmp_path / "log")
    grandchild = int(child.log.read_text())
    assert is_running(grandchild)
    end_all([child])

    assert not is_running(grandchild)
    assert child.exit_status() == 128 + 15


def test_kills_what_does_not_listen(tmp_path: Path) -> None:
    """After the grace period SIGTERM becomes SIGKILL."""
    child = started(DEAF, tmp_path / "log")
    end_all([child], grace=0.3)

    assert child.exit_status() == 128 + 9


@pytest.mark.parametrize(("program", "status"), [("print(1)", 0), ("print(1); raise SystemExit(3)", 3)])
def test_exit_status(tmp_path: Path, program: str, status: int) -> None:
    """A child that ended by itself has the status it ended with, and ending it again is harmless."""
    child = started(program, tmp_path / "log")
    deadline = time.monotonic() + 20
    while child.exit_status() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    end_all([child])

    assert child.exit_status() == status


def test_collects_output_in_a_new_log(tmp_path: Path) -> None:
    """Both streams go to the log, which starts empty and in a folder made for it."""
    log = tmp_path / "new" / "log"
    for word in ("first", "second"):
        child = started(f"import sys; print({word!r}, file=sys.stderr)", log)
        end_all([child])

    assert log.read_text() == "second\n"
