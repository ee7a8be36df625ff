"""`up` from start to end, as a process, with a stand-in for the `litellm` program."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from litellm_homelab.reviewed.surface import Surface, sentence
from tests.cli.process import SECONDS, Up
from tests.real.gateway import free_port

FAKE = Path(__file__).with_name("fake_litellm.py")
pytestmark = pytest.mark.real

EXAMPLE = "LITELLM_MASTER_KEY=sk-generate\nDEMO=0\n"


Start = Callable[..., Up]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """
    Starts `up` in a folder of its own, where the `litellm` beside the interpreter is the stand-in.

    `by_make` puts a make in between, as `make run` does.
    """
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    litellm = python.with_name("litellm")
    litellm.write_text(f"#!{sys.executable}\n{FAKE.read_text()}")
    litellm.chmod(0o755)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "router.yaml").write_text("model_list: []\n")
    (tmp_path / "config" / "env.example").write_text(EXAMPLE)
    (tmp_path / "Makefile").write_text("run:\n\t@bin/python -m litellm_homelab.cli up\n")
    running: list[Up] = []

    def run(*, by_make: bool = False, **environ: str) -> Up:
        command = ["make", "run"] if by_make else [str(python), "-m", "litellm_homelab.cli", "up"]
        outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        defaults = {**outside, "PYTHONPATH": os.pathsep.join(sys.path), "PORT": str(free_port())}
        running.append(Up(tmp_path, command, {**defaults, **environ}))
        return running[-1]

    yield run
    for up in running:
        if up.process.poll() is None:
            os.killpg(up.process.pid, signal.SIGTERM)
            up.process.wait(SECONDS)


def test_says_what_to_try_and_ready(start: Start, tmp_path: Path) -> None:
    """Once LiteLLM answers, three commands that work as printed stand before `ready`."""
    up = start()
    up.wait_for("ready")
    lines = up.output.splitlines()
    commands = [line for line in lines if line.startswith(("set -a", "curl "))]
    script = "\n".join(commands[:2])
    shown = subprocess.run(
        ["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300
    )

    assert lines[-1] == "ready"
    assert len(commands) == 3
    assert shown.stdout == '{"data": [{"id": "main"}, {"id": "fast"}]}'
    assert '"model": "main"' in commands[2]
    assert f"http://127.0.0.1:{up.port}/v1/chat/completions" in commands[2]


def test_shows_what_nobody_has_reviewed(start: Start) -> None:
    """The line that LiteLLM's start writes into its log is on the terminal, too, before the commands."""
    notice = sentence("1.110.9", Surface(routes=frozenset({"POST /new"})))
    assert notice is not None
    up = start(FAKE_LITELLM_LOGS=notice)
    up.wait_for("ready")
    lines = up.output.splitlines()
    assert lines.count(notice) == 1
    assert lines.index(notice) < lines.index("Try, in another terminal in this folder:")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(start: Start, number: signal.Signals) -> None:
    """Ctrl-C, an end from outside and a closed terminal all end the children, with status 0."""
    up = start()
    up.wait_for("ready")
    up.process.send_signal(number)

    assert up.process.wait(SECONDS) == 0
    assert not up.gateway_answers()


@pytest.mark.parametrize(
    ("number", "to_group"),
    [
        pytest.param(signal.SIGINT, True, id="Ctrl-C"),
        pytest.param(signal.SIGINT, False, id="SIGINT to make alone"),
        pytest.param(signal.SIGTERM, False, id="SIGTERM to make alone"),
    ],
)
def test_ends_with_make(start: Start, number: signal.Signals, to_group: bool) -> None:
    """Below make nothing is left either, though make keeps a lone SIGINT to itself."""
    up = start(by_make=True)
    up.wait_for("ready")
    send = os.killpg if to_group else os.kill
    send(up.process.pid, number)

    assert up.process.wait(SECONDS) == -number
    assert not up.gateway_answers()


def test_outlives_no_make(start: Start) -> None:
    """A make that is killed takes the gateway along."""
    up = start(by_make=True)
    up.wait_for("ready")
    up.process.kill()
    up.process.wait(SECONDS)

    assert up.gateway_ends()


def test_ends_before_it_is_ready(start: Start) -> None:
    """A signal while LiteLLM is still starting ends it as well."""
    up = start(FAKE_LITELLM="silent")
    up.wait_for(f"starting LiteLLM on http://127.0.0.1:{up.port} (log: .cache/log/litellm.log)")
    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(SECONDS) == 0
    assert "ready" not in up.output.splitlines()


def test_failed_start(start: Start) -> None:
    """When LiteLLM ends by itself, the reason is shown and its status is passed on."""
    up = start(FAKE_LITELLM="dies")

    assert up.process.wait(SECONDS) == 3
    assert "\nSettingsError: router.yaml: homelab.showroom.handles[0]: wrong\n" in up.output
    assert "LiteLLM ended with status 3; its log: .cache/log/litellm.log" in up.output


def test_no_listing(start: Start) -> None:
    """A gateway that is up but refuses its own key is not called ready."""
    up = start(FAKE_LITELLM="refuses")

    assert up.process.wait(SECONDS) == 1
    assert "/v1/models answered 401" in up.output
    assert not up.gateway_answers()


def samples_of(folder: Path) -> str:
    """Where the running LiteLLM keeps its workers' samples, by its log; `.` for nowhere."""
    log = (folder / ".cache" / "log" / "litellm.log").read_text()
    return next(line for line in log.splitlines() if line.startswith("samples: ")).removeprefix("samples: ")


def test_workers_have_a_folder_of_their_own_for_samples(start: Start, tmp_path: Path) -> None:
    """Each run of several workers gets a fresh one, and leaves nothing of it."""
    found = []
    for _ in range(2):
        up = start(WORKERS="2")
        up.wait_for("ready")
        found.append(Path(samples_of(tmp_path)))
        assert [file.name for file in found[-1].iterdir()] == ["counter_1.db"]
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(SECONDS) == 0
        assert not found[-1].exists()
    assert len({*found}) == 2


@pytest.mark.parametrize(
    ("workers", "named", "used"),
    [
        pytest.param("2", "kept", "kept", id="the operator's folder"),
        pytest.param("2", "kept/new", "kept/new", id="one that is not there yet"),
        pytest.param("1", "", ".", id="one worker has none"),
    ],
)
def test_samples_stay_where_the_operator_wants_them(
    start: Start, tmp_path: Path, workers: str, named: str, used: str
) -> None:
    """A folder from the environment is used, and left."""
    (tmp_path / "kept").mkdir()
    up = start(WORKERS=workers, PROMETHEUS_MULTIPROC_DIR=named)
    up.wait_for("ready")
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(SECONDS) == 0
    assert samples_of(tmp_path) == used
    assert (tmp_path / used / "counter_1.db").exists()


def test_port_in_use(start: Start, tmp_path: Path) -> None:
    """A busy port is reported before anything is started."""
    first = start()
    first.wait_for("ready")
    shutil.rmtree(tmp_path / ".cache")
    second = start(PORT=first.port)

    assert second.process.wait(SECONDS) == 2
    assert f"port {first.port} of 127.0.0.1 is in use, the gateway needs it" in second.output
    assert not (tmp_path / ".cache").exists()
