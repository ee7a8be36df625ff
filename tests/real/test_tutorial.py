"""docs/tutorial.md in an empty folder with the wheel: every command is run, every output compared."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from litellm_homelab.cli.child import ChildProcess, end_all
from litellm_homelab.demo.config import DEFAULT_PORTS
from tests.docs.blocks import REPOSITORY, blocks
from tests.docs.console import Typed, keeps, typed
from tests.real import image
from tests.real.gateway import free_port

pytestmark = pytest.mark.real

PAGE = REPOSITORY / "docs" / "tutorial.md"
PORTS = {"gateway": 4000, **DEFAULT_PORTS}
PREPARED = ("python3 -m venv", ". .venv/", "pip install")
"""What the fixture has done without a network: a virtual environment with the wheel."""
SERVERS = {"litellm-homelab demo": "\nready\n", "litellm --config": "Uvicorn running on"}
"""Commands that stay in a terminal, and what they print once they answer."""
SECONDS = 240
BLOCKED = 1
"""The exit status of `check` where it found an error."""


@dataclass(slots=True)
class Reader:
    """Someone in an empty folder, with the ports moved to free ones."""

    folder: Path
    environ: Mapping[str, str]
    ports: Mapping[str, int]
    terminals: dict[str, ChildProcess] = field(default_factory=dict)
    status: int = 0

    def do(self, step: Typed) -> str:
        """Type a command, and return what it prints until it ends, or until it answers."""
        for start, ready in SERVERS.items():
            if step.command.startswith(start):
                return self._serve(start, step.command, ready)
        script = f"[ ! -f env.local ] || {{ set -a; . ./env.local; set +a; }}\n{self.moved(step.command)}"
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=self.folder,
            env=dict(self.environ),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.status = done.returncode
        return self.back(done.stdout + done.stderr)

    def _serve(self, start: str, command: str, ready: str) -> str:
        if start in self.terminals:
            self.terminals[start].signal(signal.SIGINT)  # Ctrl-C
            end_all([self.terminals[start]])
        if start == "litellm-homelab demo":
            ports = "".join(f" --port={name}={self.ports[name]}" for name in DEFAULT_PORTS)
            command += ports
        script = f"[ ! -f env.local ] || {{ set -a; . ./env.local; set +a; }}\nexec {self.moved(command)}"
        log = self.folder.parent / f"{len(self.terminals)}-{time.monotonic_ns()}.log"
        child = ChildProcess("server", ["sh", "-euc", f"cd '{self.folder}'\n{script}"], self.environ, log)
        self.terminals[start] = child
        deadline = time.monotonic() + SECONDS
        while ready not in log.read_text(errors="replace"):
            assert child.exit_status() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.2)
        printed = self.back(log.read_text(errors="replace"))
        return printed[: printed.index(ready.strip())] + ready.strip() + printed.partition(ready.strip())[2]

    def moved(self, text: str) -> str:
        """With the free ports in the place of the page's."""
        moves = {str(number): str(self.ports[name]) for name, number in PORTS.items()}
        return re.sub(r"(?<=[: ])\d{4}\b", lambda found: moves.get(found[0], found[0]), text)

    def back(self, text: str) -> str:
        """With the page's ports in the place of the free ones."""
        names = {str(number): name for name, number in self.ports.items()}
        return re.sub(r"(?<=:)\d{4,5}\b", lambda found: _page_port(names, found[0]), text)


def _page_port(names: Mapping[str, str], port: str) -> str:
    return str(PORTS[names[port]]) if port in names else port


@contextmanager
def _reader(folder: Path) -> Iterator[Reader]:
    """The wheel installed into an environment that has what it requires, command and all."""
    found = image.make(folder, (*image.IMAGE_EXTRAS,))
    image.install_wheel(folder, found.bin.parent)
    empty = folder / "empty"
    empty.mkdir()
    ports = {name: free_port() for name in PORTS}
    back = f"http://127.0.0.1:{ports['gateway']}/v1"
    environ = found.environ(HOME=str(folder), OPTILLM_UPSTREAM_API_BASE=back)
    del environ["PYTHONPATH"]  # what is installed is what runs
    reader = Reader(empty, environ, ports)
    try:
        yield reader
    finally:
        end_all(reader.terminals.values())


def _files() -> list[tuple[int, str, str]]:
    """Line, name and text of each file that the page has its reader write."""
    text = PAGE.read_text(encoding="utf-8")
    lines = text.splitlines()
    found = []
    for block in blocks("yaml", PAGE):
        (name,) = re.findall(r"`(\w+\.yaml)`:$", lines[block.line - 4])
        found.append((block.line, name, block.text))
    return found


def test_the_tutorial_prints_what_it_says(tmp_path: Path) -> None:
    """From the first command to the last, in order, in one folder."""
    steps = [step for step in typed(PAGE) if not step.command.startswith(PREPARED)]
    files = _files()
    with _reader(tmp_path) as reader:
        for step in steps:
            line = int(step.id.rpartition(":")[2])
            while files and files[0][0] < line:
                _, name, text = files.pop(0)
                (reader.folder / name).write_text(reader.moved(text), encoding="utf-8")
            printed = reader.do(step)
            assert keeps(printed, step.printed), f"{step.id}: {step.command}\n{printed}"
            assert reader.status == (BLOCKED if "error:" in step.printed else 0), f"{step.id}: {printed}"
    assert not files


def test_the_tutorial_installs_the_wheel_of_this_version() -> None:
    """The name that `make release` gives it."""
    from litellm_homelab import __version__

    (wheel,) = re.findall(r"pip install (\S+\.whl)", PAGE.read_text(encoding="utf-8"))
    assert wheel == f"litellm_homelab-{__version__}-py3-none-any.whl"
