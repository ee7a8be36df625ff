"""`litellm-homelab selftest`: its exit status and its output; the checks have tests of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from litellm_homelab.cli import main
from litellm_homelab.testing.selftest import run
from litellm_homelab.testing.selftest.check import CheckResult
from litellm_homelab.testing.selftest.report import Report

GOOD = CheckResult("names are judged", "names leak", True, 1, 1)
BAD = CheckResult("hooks run", "rules are not asked", False, 1, 0)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command sets variables of this process; they are put back."""
    monkeypatch.setattr(os, "environ", {**os.environ, "DATABASE_URL": "postgresql://elsewhere"})


def _finding(*results: CheckResult) -> Callable[..., Report]:
    def found(done: Callable[[CheckResult], object], *_: object) -> Report:
        assert "DATABASE_URL" not in os.environ
        for one in results:
            done(one)
        return Report("1.106.2", "0.1.0", ("1.106.2",), results, 1.0)

    return found


@pytest.mark.parametrize(
    ("results", "status"), [pytest.param([GOOD], 0, id="good"), pytest.param([GOOD, BAD], 1, id="problems")]
)
def test_a_line_for_each_check(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    results: list[CheckResult],
    status: int,
) -> None:
    """0 where everything holds, 1 where something does not; a line each and one at the end."""
    monkeypatch.setattr(run, "run", _finding(*results))
    assert main(["selftest"]) == status
    said = capsys.readouterr().out.splitlines()
    assert [one.split()[0] for one in said] == [*("ok", "FAILED")[: len(results)], "LiteLLM"]


def test_json_is_one_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--json` there is nothing else on standard output."""
    monkeypatch.setattr(run, "run", _finding(GOOD, BAD))
    assert main(["selftest", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


def test_what_cannot_be_started_is_unusable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """2, with the reason on standard error."""

    def broken(*_: object) -> Report:
        raise ImportError("cannot import name 'Router'")

    monkeypatch.setattr(run, "run", broken)
    assert main(["selftest"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "LiteLLM could not be started: ImportError: cannot import name 'Router'" in said.err
