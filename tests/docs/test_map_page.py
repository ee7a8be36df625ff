"""docs/map.md and docs/status.md print what the commands print."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from litellm_homelab.cli import main
from litellm_homelab.drawing.marking import EdgeMark
from tests.docs.blocks import REPOSITORY, blocks
from tests.docs.console import Typed, typed
from tests.status.test_tables import GOLDEN

MAP = REPOSITORY / "docs" / "map.md"
STATUS = REPOSITORY / "docs" / "status.md"
FILE = blocks("yaml", MAP)[0].text
STEPS = [one for one in typed(MAP) if one.command.startswith("litellm-homelab map ")]


@pytest.mark.parametrize("step", [pytest.param(one, id=one.id) for one in STEPS])
def test_what_map_prints(
    step: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Errors first, as a terminal has them; `loop.yaml` is made as the page makes it."""
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "HOST"):
        monkeypatch.delenv(name, raising=False)
    Path("router.yaml").write_text(FILE, encoding="utf-8")
    Path("loop.yaml").write_text(FILE.replace("lm_studio/base", "lm_studio/boost"), encoding="utf-8")
    main(shlex.split(step.command)[1:])
    said = capfd.readouterr()
    assert (said.err + said.out).strip() == step.printed.strip()


def test_there_are_steps() -> None:
    """A page without commands would pass without a word."""
    assert len(STEPS) == 3


@pytest.mark.parametrize("command", [one for one in blocks("text", MAP)[0].text.splitlines() if one])
def test_commands_of_the_page_work(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the shipped files."""
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command.replace("env.local", "env.example"))
    assert main(words[1:]) == 0


@pytest.mark.parametrize("mark", EdgeMark)
def test_every_mark_is_explained(mark: EdgeMark) -> None:
    """A row of the table."""
    assert f"| `{mark}` |" in MAP.read_text(encoding="utf-8")


def test_what_status_prints() -> None:
    """The text that its own test compares."""
    assert GOLDEN in [block.text for block in blocks("text", STATUS)]
