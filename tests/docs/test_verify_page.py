"""docs/verify.md names every check, and prints what the command prints."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from litellm_homelab.cli import main
from litellm_homelab.cli.environment import with_fresh_secrets
from litellm_homelab.verify import gateway, run
from litellm_homelab.verify.lab import LaneFacts
from tests.docs.blocks import REPOSITORY, blocks
from tests.verify.sabotage import lab
from tests.verify.test_report import GOLDEN

PAGE = REPOSITORY / "docs" / "verify.md"
TEXT = PAGE.read_text(encoding="utf-8")
ID = re.compile(r"`([a-z-]+\.[a-z-]+)`")


def test_every_check_is_in_the_table() -> None:
    """Each once, and none that does not exist."""
    full = replace(lab(), lanes=(*lab().lanes, LaneFacts("research", ("router",))))
    made = {gateway.answers(full).id, *(one.id for one in run.checks(full))}
    table = TEXT.partition("## What it checks")[2].partition("## ")[0]
    named = [
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in ID.findall(line.split("|")[1])
    ]
    assert sorted(named) == sorted(made)


def test_what_it_prints() -> None:
    """The text that its own test compares."""
    assert GOLDEN in [block.text.rstrip("\n") for block in blocks("text", PAGE)]


@pytest.mark.parametrize("command", [one for one in blocks("text", PAGE)[0].text.splitlines() if one])
def test_its_commands_are_understood(command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On the shipped files, with an address at which nothing listens."""
    words = shlex.split(re.sub(r"https?://\S+", "http://127.0.0.1:9", command))
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    example = (tmp_path / "config" / "env.example").read_text(encoding="utf-8")
    (tmp_path / "config" / "env.local").write_text(with_fresh_secrets(example), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(words[1:]) == 1


def test_its_options_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """And the page has every option of the command."""
    with pytest.raises(SystemExit):
        main(["verify", "--help"])
    said = capsys.readouterr().out
    options = {*re.findall(r"^  (--[a-z]+)", said, re.MULTILINE)}
    assert options
    assert options == {*re.findall(r"^\| `(--[a-z]+)", TEXT, re.MULTILINE)}
