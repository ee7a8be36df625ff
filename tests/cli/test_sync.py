"""`litellm-homelab sync`: what it prints, what it writes, and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litellm_homelab.cli import main
from tests.sync.test_synchronise import LAB, REGISTRY, lab


@pytest.fixture
def router(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file and its registry in the present folder."""
    monkeypatch.chdir(tmp_path)
    return lab(Path())


def test_without_write_nothing_is_changed(router: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The diff is on standard output, notes on standard error."""
    assert main(["sync", "router.yaml"]) == 0
    said = capsys.readouterr()
    assert "+    model_info: {max_input_tokens: 10}\n" in said.out
    assert said.err == "note: changed: 'main': max_input_tokens: not set -> 10\n"
    assert router.read_text(encoding="utf-8") == LAB
    assert len([*Path().iterdir()]) == 2


def test_with_write_a_second_run_changes_nothing(router: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The old file is beside the new one, and there is no second backup."""
    assert main(["sync", "router.yaml", "--write"]) == 0
    assert main(["sync", "router.yaml", "--write"]) == 0
    assert capsys.readouterr().out == (
        "router.yaml: written; the old file is router.yaml.bak\nrouter.yaml: nothing to change\n"
    )
    assert Path("router.yaml.bak").read_text(encoding="utf-8") == LAB
    assert sorted(one.name for one in Path().iterdir()) == ["registry.json", "router.yaml", "router.yaml.bak"]


def test_what_is_left_to_do_is_said(router: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, and the rest is done."""
    Path("ensembles.jsonl").write_text('{"handle": "b", "approach": "moa", "base": "none"}')
    assert main(["sync", "router.yaml", "--write"]) == 1
    assert "to do: 'b': its base 'none' is not a model_name of model_list" in capsys.readouterr().err
    assert "max_input_tokens" in router.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param(["other.yaml"], "other.yaml: not readable: No such file", id="missing"),
        pytest.param(["router.yaml", "--registry", "x.json"], "x.json: No such file", id="registry"),
        pytest.param(
            ["router.yaml", "--env", "x.env"], "x.env: not readable: No such file", id="environment"
        ),
    ],
)
def test_what_cannot_be_used_is_said(
    router: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and why."""
    assert main(["sync", *options]) == 2
    assert said in capsys.readouterr().err


def test_each_problem_of_a_file_has_its_line(router: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All problems are reported, each with the file."""
    Path("ensembles.jsonl").write_text('[]\n{"handle": 5}\n')
    assert main(["sync", "router.yaml"]) == 2
    said = capsys.readouterr().err.splitlines()
    begins = "litellm-homelab sync: router.yaml: ensembles.jsonl: line"
    assert [one.startswith(f"{begins} {number}") for number, one in enumerate(said, start=1)] == [True, True]


def test_a_failed_write_loses_nothing(
    router: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is as it was, and nothing half written is beside it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert main(["sync", "router.yaml", "--write"]) == 2
    assert "not written: No space left on device" in capsys.readouterr().err
    assert router.read_text(encoding="utf-8") == LAB
    assert sorted(one.name for one in Path().iterdir()) == ["registry.json", "router.yaml"]


def test_a_registry_is_drafted(router: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output alone; a server that is not there is something to do."""
    router.write_text(LAB.replace("8000", "9"), encoding="utf-8")
    assert main(["sync", "router.yaml", "--from-backends"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out) == {"version": 2, "models": {}}
    assert "to do: http://127.0.0.1:9/v1: ConnectError" in said.err
    assert json.loads(Path("registry.json").read_text(encoding="utf-8")) == REGISTRY
