"""The preloaded LiteLLM of the real tests is the one that the command would start."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.real.gateway import REPOSITORY, START_SECONDS, code_of, end, free_port, start, workers
from tests.real.preloaded import KEPT, Forked, Preloaded, PreloadedError, Starter

pytestmark = pytest.mark.real

ENVIRON = {
    **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PYTHONPATH": str(REPOSITORY),
}
STAND_IN: Final = """
import signal, sys, tests.real.preloaded as preloaded
preloaded.importlib.import_module = lambda name: preloaded
preloaded.run_server = lambda: print(sys.argv[1]) or (signal.pause() if sys.argv[1] == "stay" else None)
preloaded.CustomStreamWrapper = type("Wrapper", (), {})
preloaded.main()
"""
"""A process that imports no LiteLLM; its command prints its argument, and stays if that is `stay`."""


def light(environ: Mapping[str, str]) -> Preloaded:
    """A preloaded process that takes no time to start."""
    return Preloaded(environ, [sys.executable, "-c", STAND_IN])


@contextmanager
def ending(preloaded: Preloaded) -> Iterator[Preloaded]:
    """A preloaded process that does not outlive the block, whatever happens in it."""
    try:
        yield preloaded
    finally:
        preloaded.kill()


@pytest.fixture(scope="module")
def preloaded() -> Iterator[Preloaded]:
    """One preloaded process with LiteLLM in it."""
    with ending(Preloaded(ENVIRON)) as process:
        yield process


@pytest.fixture
def starter() -> Iterator[Starter]:
    """One of processes without LiteLLM; all end with the test."""
    found = Starter(light)
    try:
        yield found
    finally:
        found.end()


def started(preloaded: Preloaded, log: Path, *arguments: str, **environ: str) -> Forked:
    """A child of it, which writes into the log."""
    return preloaded.start({**ENVIRON, **environ}, [*arguments], log)


def test_it_runs_the_command(preloaded: Preloaded, tmp_path: Path) -> None:
    """A child prints what `litellm --version` prints, and ends with 0."""
    log = tmp_path / "log"
    assert started(preloaded, log, "--version").wait(START_SECONDS) == 0
    assert "LiteLLM: Current Version" in log.read_text(encoding="utf-8")


def test_an_error_has_its_code(preloaded: Preloaded, tmp_path: Path) -> None:
    """Arguments that LiteLLM does not have end a child with click's 2."""
    assert started(preloaded, tmp_path / "log", "--no-such-option").wait(START_SECONDS) == 2


def test_a_child_is_a_process_group_of_its_own(preloaded: Preloaded, tmp_path: Path) -> None:
    """A signal to a child's group ends the child alone, with the signal as its code."""
    (tmp_path / "router.yaml").write_text("model_list: []\n", encoding="utf-8")
    log = tmp_path / "log"
    child = started(preloaded, log, "--config", str(tmp_path / "router.yaml"), "--port", "0")
    assert child.poll() is None
    child.signal_group(signal.SIGKILL)
    assert child.wait(START_SECONDS) == -signal.SIGKILL
    assert started(preloaded, log, "--version").wait(START_SECONDS) == 0


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, True, id="the same"),
        pytest.param(
            {"LITELLM_MASTER_KEY": "sk-1", "MAIN_API_BASE": "http://127.0.0.1:1"}, True, id="not read"
        ),
        pytest.param({"NO_DOCS": "True"}, False, id="read by LiteLLM"),
        pytest.param({"LITELLM_LOCAL_MODEL_COST_MAP": "False"}, False, id="read with another value"),
        pytest.param({"PROMETHEUS_MULTIPROC_DIR": "/"}, True, id="read after the fork"),
        pytest.param({"https_proxy": "http://127.0.0.1:1"}, False, id="a proxy"),
    ],
)
def test_it_serves_environments_that_it_would_have_read_alike(
    preloaded: Preloaded, environ: dict[str, str], expected: bool
) -> None:
    """A variable that LiteLLM reads while it is imported needs a process of its own."""
    assert preloaded.serves({**ENVIRON, **environ}) is expected


@pytest.mark.parametrize("is_stock", [True, False])
def test_only_a_stock_gateway_loses_the_finalizer(
    preloaded: Preloaded, is_stock: bool, tmp_path: Path
) -> None:
    """A gateway with the plugin has to remove it itself, as it does for a user."""
    log, module = tmp_path / "log", tmp_path / "said.py"
    module.write_text(
        "from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper\n"
        "print('finalizer:', '__del__' in vars(CustomStreamWrapper), flush=True)\n"
        "raise SystemExit(7)\n",
        encoding="utf-8",
    )
    router = tmp_path / "router.yaml"
    router.write_text("model_list: []\nlitellm_settings: {callbacks: [said.one]}\n", encoding="utf-8")
    child = preloaded.start(ENVIRON, ["--config", str(router), "--port", "0"], log, is_stock=is_stock)
    try:
        child.wait(START_SECONDS)
    finally:
        child.signal_group(signal.SIGKILL)
    crashes = sys.version_info < (3, 12)
    assert f"finalizer: {not (is_stock and crashes)}" in log.read_text(encoding="utf-8")


# --- without LiteLLM: which process is used, and what becomes of it ------------------------------------


def test_one_process_for_starts_that_are_alike(starter: Starter, tmp_path: Path) -> None:
    """Two starts of one environment and one of another are children of two processes."""
    parents = []
    for number, environ in enumerate(({}, {"OTHER": "1"}, {"https_proxy": "http://127.0.0.1:1"})):
        child = starter.start({**ENVIRON, **environ}, ["end"], tmp_path / f"{number}.log")
        assert child.wait(START_SECONDS) == 0
        parents.append(starter.latest)
    assert parents[0] is parents[1]
    assert parents[1] is not parents[2]


def other(number: int) -> dict[str, str]:
    """An environment that needs a process of its own."""
    return {**ENVIRON, f"{'x' * (number + 1)}_proxy": "http://127.0.0.1:1"}


def test_a_process_stays_while_a_child_of_it_runs(starter: Starter, tmp_path: Path) -> None:
    """However many others were started since: only it can say how its child ended."""
    log = tmp_path / "log"
    child = starter.start(ENVIRON, ["stay"], log)
    for number in range(KEPT):
        starter.start(other(number), ["end"], log).wait(START_SECONDS)
    child.signal_group(signal.SIGKILL)
    assert child.wait(START_SECONDS) == -signal.SIGKILL


def test_a_process_that_is_dead_is_not_chosen_again(starter: Starter, tmp_path: Path) -> None:
    """The next start has another one."""
    log = tmp_path / "log"
    starter.start(ENVIRON, ["end"], log).wait(START_SECONDS)
    dead = starter.latest
    dead.kill()
    assert starter.start(ENVIRON, ["end"], log).wait(START_SECONDS) == 0
    assert starter.latest is not dead


def test_threads_start_together(starter: Starter, tmp_path: Path) -> None:
    """Each has its own child, which writes into its own log, of one process."""

    def start(number: int) -> int:
        log = tmp_path / f"{number}.log"
        assert starter.start(ENVIRON, [str(number)], log).wait(START_SECONDS) == 0
        return int(log.read_text(encoding="utf-8"))

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(start, range(24))] == [*range(24)]


def test_a_child_of_a_process_that_is_dead_is_not_waited_for(tmp_path: Path) -> None:
    """Its exit code is not known; and the child is killed with the process."""
    with ending(light(ENVIRON)) as parent:
        child = parent.start(ENVIRON, ["stay"], tmp_path / "log")
        descriptor = os.pidfd_open(child.pid)
        parent.kill()
        with pytest.raises(PreloadedError, match="has ended"):
            child.wait(START_SECONDS)
        assert has_ended(descriptor)
        with pytest.raises(PreloadedError, match=r"has ended|no child"):
            parent.start(ENVIRON, ["end"], tmp_path / "log")


def has_ended(descriptor: int) -> bool:
    """Whether the process of a pidfd ends, whoever has its pid now."""
    try:
        return bool(select.select([descriptor], [], [], 15)[0])
    finally:
        os.close(descriptor)


def test_what_is_printed_during_the_import_is_no_answer() -> None:
    """LiteLLM and what it imports may print."""
    noisy = STAND_IN.replace("lambda name: preloaded", "lambda name: print('hello') or preloaded")
    with ending(Preloaded(ENVIRON, [sys.executable, "-c", noisy])) as process:
        assert process.is_alive


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "import time; time.sleep(600)"])
def test_an_import_that_fails_or_hangs_ends(program: str) -> None:
    """With an error, and without the process."""
    with pytest.raises(PreloadedError, match="was not imported"):
        Preloaded(ENVIRON, [sys.executable, "-c", program], seconds=1)


def test_a_pid_that_may_be_anothers_is_not_signalled(
    starter: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once an exit code was taken the system may give the pid, and the group, to another process."""
    sent: list[tuple[int, int]] = []
    child = starter.start(ENVIRON, ["end"], tmp_path / "log")
    assert child.wait(START_SECONDS) == 0
    other = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    assert other.wait(START_SECONDS) == 0
    monkeypatch.setattr("os.killpg", lambda pid, number: sent.append((pid, number)))
    end(child)
    end(other)
    assert sent == []
    assert (code_of(child), code_of(other)) == (0, 0)


def test_several_workers_are_its_grandchildren(tmp_path: Path) -> None:
    """Each of them begins to serve; one that is killed is replaced, and all end with the gateway."""
    port, log = free_port(), tmp_path / "log"
    config = tmp_path / "router.yaml"
    config.write_text("model_list: []\n", encoding="utf-8")
    log.touch()
    arguments = ("--num_workers", "2", "--timeout_worker_healthcheck", "20")
    environ = {"LITELLM_MASTER_KEY": "sk-0123456789abcdef0123456789", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    process = start(config, port, environ, arguments, log)
    try:
        first = _serving(port, log, 2)
        os.kill(first[0], signal.SIGKILL)
        assert len({*_serving(port, log, 3)} - {*first}) == 1
    finally:
        end(process)
    assert [*workers(port)] == []


def _serving(port: int, log: Path, number: int) -> list[int]:
    """The workers, once so many have started to serve."""
    deadline = time.monotonic() + START_SECONDS
    while log.read_text(encoding="utf-8").count("Application startup complete") < number:
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")[-2000:]
        time.sleep(0.1)
    return [*workers(port)]
