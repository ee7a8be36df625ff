"""docs/check.md lists every message, and its commands are those of the command line."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from litellm_homelab import cli
from tests.docs import check_page
from tests.docs.blocks import REPOSITORY, blocks

PAGE = REPOSITORY / "docs" / "check.md"


def test_the_list_is_made_from_the_registry() -> None:
    """Whoever adds a message makes the page anew: `python -m tests.docs.check_page > docs/check.md`."""
    assert PAGE.read_text(encoding="utf-8") == check_page.page()


COMMANDS = [
    line
    for block in blocks("bash", PAGE)
    for line in block.text.splitlines()
    if line.startswith("litellm-homelab ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_page_work(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of the page is understood, and finds nothing wrong with the shipped files."""
    monkeypatch.chdir(REPOSITORY)
    assert cli.main(shlex.split(command)[1:]) == 0


def test_there_are_commands() -> None:
    """A page without commands would pass without a word."""
    assert len(COMMANDS) >= 3


@pytest.mark.parametrize("name", [".pre-commit-hooks.yaml", "action.yml"])
def test_the_hooks_run_the_command(name: str) -> None:
    """The pre-commit hook and the GitHub Action are YAML and call `litellm-homelab check`."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    assert yaml.safe_load(text)
    assert re.search(r"litellm-homelab check", text)


def test_the_action_hands_on_each_of_its_inputs() -> None:
    """An input that is not used would be ignored without a word."""
    text = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
    inputs = yaml.safe_load(text)["inputs"]
    assert [one for one in inputs if f"inputs.{one} " not in text] == []
    assert Path(inputs["config"]["default"]).name == "router.yaml"
