"""The preloaded LiteLLM of the real tests is the one that the command would start."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.gateway import REPOSITORY, START_SECONDS
from tests.real.preloaded import KEPT, Forked, Preloaded, Starter

pytestmark = pytest.mark.real

ENVIRON = {
    **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "PYTHONPATH": str(REPOSITORY),
}


@pytest.fixture(scope="module")
def preloaded() -> Iterator[Preloaded]:
    """One preloaded process."""
    process = Preloaded(ENVIRON)
    yield process
    process.end()


def started(preloaded: Preloaded, log: Path, *arguments: str, **environ: str) -> Forked:
    """A child of it, which writes into the log."""
    log.touch()
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
    while os.getpgid(child.pid) != child.pid:
        assert child.poll() is None
    os.killpg(child.pid, signal.SIGKILL)
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


def test_one_process_for_starts_that_are_alike(tmp_path: Path) -> None:
    """Two starts of one environment and one of another are children of two processes."""
    starter, parents = Starter(), []
    for number, environ in enumerate(({}, {"LITELLM_MASTER_KEY": "sk-1"}, {"NO_DOCS": "True"})):
        (log := tmp_path / f"{number}.log").touch()
        starter.start({**ENVIRON, **environ}, ["--version"], log).wait(START_SECONDS)
        parents.append(starter.latest)
    for parent in {*parents}:
        parent.end()
    assert parents[0] is parents[1]
    assert parents[1] is not parents[2]


def test_a_process_stays_while_a_child_of_it_runs(tmp_path: Path) -> None:
    """However many others were started since: only it can say how its child ended."""
    starter, log = Starter(), tmp_path / "log"
    log.touch()
    (tmp_path / "router.yaml").write_text("model_list: []\n", encoding="utf-8")
    child = starter.start(ENVIRON, ["--config", str(tmp_path / "router.yaml"), "--port", "0"], log)
    os.kill(child.pid, signal.SIGSTOP)  # so that it does not end by itself
    first = starter.latest
    others = []
    for number in range(KEPT):
        starter.start({**ENVIRON, "NO_DOCS": str(number)}, ["--version"], log).wait(START_SECONDS)
        others.append(starter.latest)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(START_SECONDS) == -signal.SIGKILL
    for process in (first, *others):
        process.end()
