"""`litellm-homelab check`: its exit status, its output, and what it needs."""

from __future__ import annotations

import io
import json
import resource
from pathlib import Path

import pytest

from litellm_homelab.cli import main
from tests.check.test_run import CLEAN
from tests.cli import alone
from tests.cli.alone import REPOSITORY

SLOW = {"asyncio", "sqlite3", "http.client"}
"""Modules of Python that the check has no use for, and that take long to import."""


@pytest.fixture
def router(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file without problems, in the present folder."""
    monkeypatch.chdir(tmp_path)
    Path("router.yaml").write_text(CLEAN, encoding="utf-8")
    return Path("router.yaml")


@pytest.mark.parametrize(
    ("old", "new", "options", "status"),
    [
        pytest.param("", "", [], 0, id="clean"),
        pytest.param("timeout: 600", "num_retrys: 1", [], 0, id="warnings"),
        pytest.param("timeout: 600", "num_retrys: 1", ["--strict"], 1, id="warnings with --strict"),
        pytest.param("[main]", "[main, mian]", [], 1, id="errors"),
        pytest.param("homelab: {", "homelab: [", [], 1, id="not YAML"),
    ],
)
def test_the_exit_status_says_whether_there_are_errors(
    router: Path, old: str, new: str, options: list[str], status: int
) -> None:
    """0 without errors, 1 with one; warnings count with `--strict`."""
    router.write_text(CLEAN.replace(old, new) if old else CLEAN, encoding="utf-8")
    assert main(["check", "router.yaml", "--litellm", "1.108.7", *options]) == status


def test_a_file_that_is_not_there_is_unusable(router: Path) -> None:
    """2, also where another file is clean."""
    assert main(["check", "router.yaml", "other.yaml"]) == 2


def test_standard_input_is_a_file_of_this_folder(
    router: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`-` reads it; included files are looked for here."""
    monkeypatch.setattr("sys.stdin", io.StringIO(CLEAN.replace("[main]", "[main, mian]")))
    assert main(["check", "-", "--litellm", "1.108.7"]) == 1
    assert capsys.readouterr().out.startswith("stdin:1:38: error: homelab.showroom.handles[1]: 'mian'")


def test_json_is_one_document(router: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json` there is nothing else on standard output."""
    router.write_text(CLEAN.replace("[main]", "[main, mian]"), encoding="utf-8")
    assert main(["check", "router.yaml", "--json", "--litellm", "1.108.7"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in said["findings"]] == ["handle-unknown"]
    assert said["counts"] == {"error": 1, "warning": 0, "hint": 0}


@pytest.mark.parametrize("command", ["check", "init"])
def test_it_needs_no_more_than_the_action_installs(command: str, router: Path) -> None:
    """
    Every other package may be missing, LiteLLM first of all.

    The processor time is printed and not asserted: it depends on the machine (0.4 s where this was written).
    """
    router.write_text(CLEAN.partition("\n")[2], encoding="utf-8")
    file = {"check": str(REPOSITORY / "config" / "router.yaml"), "init": str(router)}[command]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done, modules = alone.run(command, file)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.2f} s of processor time")
    assert done.returncode == 0, done.stderr
    assert {"check": "no problems found", "init": "+homelab:"}[command] in done.stdout
    assert not SLOW & modules
