"""`litellm-homelab init`: what it prints, what it writes, and its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.cli import main

LAB = """\
# My lab.
model_list:
  - model_name: main  # the large one
    litellm_params: {model: lm_studio/main, api_base: 'http://127.0.0.1:8080/v1', api_key: none}
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An owner's file in the present folder."""
    monkeypatch.chdir(tmp_path)
    Path("router.yaml").write_text(LAB, encoding="utf-8")
    return Path("router.yaml")


def test_without_write_nothing_is_changed(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The diff is on standard output, notes on standard error."""
    assert main(["init", "router.yaml"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("--- router.yaml\n+++ router.yaml (with litellm-homelab)\n")
    assert "+  custom_auth: litellm_homelab.gate\n" in said.out
    assert "\n-" not in said.out.removeprefix("---")
    assert "note: " in said.err
    assert lab.read_text(encoding="utf-8") == LAB
    assert [*Path().iterdir()] == [lab]


def test_with_write_the_file_is_checked_clean(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a second `init` finds nothing to draft."""
    assert main(["init", "router.yaml", "--write", "--caller", "phone"]) == 0
    said = capsys.readouterr()
    assert "written; the old file is router.yaml.bak" in said.out
    assert "note: set PHONE_KEY=sk-" in said.err
    assert main(["check", "router.yaml", "--litellm", "1.108.7", "--strict"]) == 0
    assert main(["init", "router.yaml"]) == 2


def test_what_would_not_start_is_said(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1, with what there is to do first."""
    lab.write_text(f"{LAB}router_settings: {{fallbacks: [{{main: [mian]}}]}}\n", encoding="utf-8")
    assert main(["init", "router.yaml"]) == 1
    assert "to do: router_settings.fallbacks[0]: main -> 'mian'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(None, "No such file or directory", id="missing"),
        pytest.param("a: [", "not readable as YAML", id="not YAML"),
        pytest.param("[a]", "expected a mapping", id="a list"),
        pytest.param("model_list: []\n", "--handle", id="no name"),
        pytest.param(
            "{model_list: [{model_name: a, litellm_params: {model: openai/a}}]}", "by hand", id="flow"
        ),
    ],
)
def test_what_cannot_be_drafted_is_unusable(
    lab: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, and why."""
    lab.unlink()
    if text is not None:
        lab.write_text(text, encoding="utf-8")
    assert main(["init", "router.yaml", "--write"]) == 2
    assert said in capsys.readouterr().err
