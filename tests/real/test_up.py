"""`litellm-homelab up` with stock LiteLLM on the shipped configuration, as `make run` starts it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from litellm_homelab.cli.environment import parse
from litellm_homelab.demo.config import DEFAULT_PORTS
from tests.cli.process import SECONDS, Up
from tests.measured import coverage_environ
from tests.real.gateway import REPOSITORY, free_port, with_ports

pytestmark = pytest.mark.real

COMMAND = [sys.executable, "-m", "litellm_homelab.cli", "up"]


@pytest.fixture
def demo_ports() -> dict[str, int]:
    """A free port for each demo backend: the default ones may be somebody's."""
    return {name: free_port() for name in DEFAULT_PORTS}


@pytest.fixture
def folder(tmp_path: Path, demo_ports: dict[str, int]) -> Path:
    """The shipped configuration in a folder of its own, with the demo on those ports."""
    shutil.copytree(REPOSITORY / "config", tmp_path / "config", ignore=shutil.ignore_patterns("env.local"))
    example = tmp_path / "config" / "env.example"
    example.write_text(with_ports(example.read_text(), demo_ports))
    return tmp_path


@pytest.fixture
def up(folder: Path, demo_ports: dict[str, int]) -> Iterator[Up]:
    """A first start, not yet ready."""
    options = [f"--demo-port={name}={port}" for name, port in demo_ports.items()]
    environ = {
        **coverage_environ(),
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(REPOSITORY),
        "PORT": str(free_port()),
    }
    running = Up(folder, [*COMMAND, *options], environ)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(SECONDS)


def test_from_a_fresh_clone_to_an_answer(up: Up, folder: Path, demo_ports: dict[str, int]) -> None:
    """It gets ready, the printed lines work as they stand, OptiLLM calls back, and Ctrl-C ends it all."""
    up.wait_for("ready")
    commands = [line for line in up.output.splitlines() if line.startswith(("set -a", "curl "))]
    script = " && ".join(commands)
    answers = subprocess.run(
        ["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=True, timeout=SECONDS
    ).stdout
    control = f"http://127.0.0.1:{demo_ports['control']}/requests"
    seen = [request["backend"] for request in httpx.get(control).json()]
    os.killpg(up.process.pid, signal.SIGINT)

    assert answers.startswith('{"data":[{"id":"main"')
    assert answers.count('"object":"chat.completion"') == 2
    assert "x-homelab-approach: moa" in answers
    assert "x-homelab-calls: 3" in answers
    assert seen == ["mlx", "optillm", "mlx", "mlx", "mlx"]
    assert up.process.wait(SECONDS) == 0
    assert not up.gateway_answers()
    with pytest.raises(httpx.ConnectError):
        httpx.get(control)


def test_requests_under_way_are_answered(up: Up, folder: Path, demo_ports: dict[str, int]) -> None:
    """The gateway ends before the demo behind it, so that Ctrl-C loses no answer."""
    up.wait_for("ready")
    control = f"http://127.0.0.1:{demo_ports['control']}"
    httpx.put(f"{control}/backends/mlx/fault", json={"fault": "slow", "seconds": 2}).raise_for_status()
    key = parse((folder / "config" / "env.local").read_text(), "env.local")["LITELLM_MASTER_KEY"]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(_chat, up.port, key)
        _until(lambda: len(httpx.get(f"{control}/requests").json()) > 0)
        os.killpg(up.process.pid, signal.SIGINT)
        assert answer.result().status_code == 200
    assert up.process.wait(SECONDS) == 0


def _chat(port: str, key: str) -> httpx.Response:
    body = {"model": "main", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(
        f"http://127.0.0.1:{port}/v1/chat/completions", json=body, headers=headers, timeout=SECONDS
    )


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def misspelt_handle(folder: Path) -> str:
    """A handle that `model_list` does not have, written before the start."""
    router = folder / "config" / "router.yaml"
    router.write_text(router.read_text().replace("      - deep\n", "      - deap\n", 1))
    return "deap"


def test_wrong_settings(misspelt_handle: str, up: Up) -> None:
    """A handle that does not exist ends the start with LiteLLM's status and our sentence."""
    assert up.process.wait(SECONDS) == 3
    assert f"homelab.showroom.handles[1]: {misspelt_handle!r}" in up.output
    assert "Traceback" not in up.output
