"""The README does what it says: every block of it is run, and the shell blocks of the other pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from litellm_homelab.config import loading, settings
from litellm_homelab.demo.config import DEFAULT_PORTS
from tests.docs.blocks import PAGES, README, REPOSITORY, Block, blocks
from tests.measured import coverage_environ
from tests.real.gateway import free_port

GATEWAY = "gateway"
PORTS = {GATEWAY: 4000, **DEFAULT_PORTS}
"""The ports that the pages name; the tests' own are free ones."""
LONGEST = 100
"""Lines of two screens."""
READY_SECONDS = 120
SHELL = blocks("sh", README)
MAKE, CALLS = SHELL[0], [*SHELL[1:], *blocks("sh", *PAGES[1:])]


@dataclass(frozen=True, slots=True)
class Clone:
    """A folder with the `config/` of a fresh clone, in which a gateway runs on other `ports`."""

    folder: Path
    ports: Mapping[str, int]

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        """Run a block as a reader would who has the keys in the environment; only the ports are others."""
        script = _moved(f"set -a; . config/env.local; set +a\n{block.text}", self.ports)
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        command = ["sh", "-eu", "-c", script]
        return subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60
        )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """What `make run` runs, from a folder that no start has been in before."""
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(REPOSITORY / "config", folder / "config", ignore=shutil.ignore_patterns("env.local"))
    ports = {name: free_port() for name in PORTS}
    env = folder / "config" / "env.example"
    text = _moved(env.read_text(encoding="utf-8"), ports)
    env.write_text(text.replace("\nPORT=4000", f"\nPORT={ports[GATEWAY]}"), encoding="utf-8")
    command = [sys.executable, "-m", "litellm_homelab.cli", "up"]
    command += [f"--demo-port={name}={port}" for name, port in ports.items() if name != GATEWAY]
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**coverage_environ(), "PATH": os.environ["PATH"], "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, log)
        yield Clone(folder, ports)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0, log.read_text()


def _moved(text: str, ports: Mapping[str, int]) -> str:
    """A text with these ports in the place of those that the pages name."""
    for name, port in PORTS.items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ports[name]}")
    return text


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while "ready" not in log.read_text().splitlines():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def test_is_short() -> None:
    """The page ends before two screens do."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("target", re.findall(r"^make (\w+)", MAKE.text, re.MULTILINE))
def test_make_has_the_target(target: str) -> None:
    """Each `make` line names a target; that `make run` is the `up` of the other tests is seen here too."""
    command = ["make", "--dry-run", "--always-make", target]
    plan = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=300)
    assert {"run": "litellm-homelab up", "test": "pytest"}[target] in plan.stdout


def test_the_first_block_is_make_alone() -> None:
    """Every line of the block that the other tests do not run in a shell is a `make` line."""
    assert all(line.startswith("make ") for line in MAKE.text.splitlines())


@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in blocks("yaml", README)])
def test_yaml_is_a_configuration(block: Block) -> None:
    """A YAML block is a whole router.yaml that the settings accept."""
    environ = {"OPENAI_API_KEY": "test", "LITELLM_MASTER_KEY": "test"}
    loaded = loading.parse(block.text, path=README, environ=environ, known=settings.Known())
    assert loaded.handles


@pytest.mark.real
@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in CALLS])
def test_shell_works_as_printed(clone: Clone, block: Block) -> None:
    """A shell block runs, and every answer in it is JSON; an error is what the page says it is."""
    done = clone.run(block)
    assert done.returncode == 0, done.stderr
    answers = list(documents(done.stdout))
    assert len(answers) == block.text.count("curl "), done.stdout
    promised = _promise(block)
    for answer in answers:
        assert "error" not in answer or promised, answer
        held = {name: answer.get(name) for name in promised}
        assert keeps(answer, promised), f"{held} where {promised} was promised, of {answer}"


def documents(text: str) -> Iterator[dict[str, object]]:
    """JSON documents that stand one after another."""
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        yield document
        rest = rest[end:].strip()


def _promise(block: Block) -> dict[str, object]:
    """The JSON block that a sentence after this shell block leads to; empty where there is none."""
    end = block.line + block.text.count("\n")
    found = [one for one in blocks("json", block.page) if end < one.line <= end + 5]
    return dict(json.loads(found[0].text)) if found else {}


def keeps(answer: object, promise: object) -> bool:
    """Whether an answer holds all that was promised; `...` stands for any text."""
    if isinstance(promise, dict):
        return isinstance(answer, dict) and all(keeps(answer.get(key), promise[key]) for key in promise)
    pattern = ".*".join(re.escape(part) for part in str(promise).split("..."))
    return re.fullmatch(pattern, str(answer), re.DOTALL) is not None
