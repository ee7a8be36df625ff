"""docs/mcp.md says of `litellm-homelab mcp` what is so."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator

import pytest

from litellm_homelab.cli import mcp as command
from litellm_homelab.mcp_server.tools import FetchArguments, SearchArguments
from tests.docs.blocks import REPOSITORY, blocks

PAGE = REPOSITORY / "docs" / "mcp.md"
TEXT = PAGE.read_text(encoding="utf-8")
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in (REPOSITORY / "litellm_homelab" / "mcp_server").glob("*.py")
)


def parser() -> argparse.ArgumentParser:
    """The parser of the command alone."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    command.add_parser(subparsers)
    found: argparse.ArgumentParser = subparsers.choices["mcp"]
    return found


def _options() -> Iterator[str]:
    for action in parser()._actions:
        if action.help != argparse.SUPPRESS and action.dest != "help":
            yield " ".join([action.option_strings[0], *([str(action.metavar)] if action.metavar else [])])


def test_the_options_are_the_commands() -> None:
    """Each has a row."""
    assert re.findall(r"^\| `(--[^`]+)` \|", TEXT, re.MULTILINE) == [*_options()]


def test_the_arguments_are_the_tools() -> None:
    """Each has a row, in the order of the schema."""
    rows = re.findall(r"^\| (?:`[a-z.]+` )?\| `([a-z_]+)` \|", TEXT, re.MULTILINE)
    assert rows == [*SearchArguments.model_fields, *FetchArguments.model_fields]


def test_the_defaults_are_the_commands() -> None:
    """As the table has them."""
    args = parser().parse_args([])
    assert (args.key_env, args.tool, args.max_mb, args.timeout) == ("LAB_KEY", "searxng-search", 5, 20)
    fields = FetchArguments.model_fields
    assert (fields["start"].default, fields["max_chars"].default) == (0, 20_000)
    assert SearchArguments.model_fields["max_results"].default == 5


FAULTS = re.findall(r"^\| `([^`]+)` \| [A-Z`]", TEXT[TEXT.index("| what it says") :], re.MULTILINE)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_faults_are_the_tools(fault: str) -> None:
    """Their words are in the code, with values of any size."""
    words = re.split(r"\.\.\. |\.\.\.|\(.*?\)|[0-9]+|Not Found| MB\]|: the page", fault.strip("[]"))
    assert [one for one in words if one.strip(" .,:") and one.strip(" .,:") not in SOURCES] == []


def test_there_are_faults() -> None:
    """A page without them would pass without a word."""
    assert len(FAULTS) == 9


def test_the_configurations_are_json() -> None:
    """And start the command."""
    found = [json.loads(block.text) for block in blocks("json", PAGE)]
    opencode, agent = found
    assert opencode["mcp"]["lab"]["command"] == ["litellm-homelab", "mcp"]
    assert [agent["servers"][0]["command"], *agent["servers"][0]["args"]] == ["litellm-homelab", "mcp"]
