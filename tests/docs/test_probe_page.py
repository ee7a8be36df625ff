"""docs/probe.md and docs/warmup.md: what the commands print, every parameter, and units that are parsed."""

from __future__ import annotations

import re
import shlex

import pytest

from litellm_homelab.cli import _parser
from litellm_homelab.probe import report
from litellm_homelab.probe.findings import ProbeVerdict
from litellm_homelab.probe.parameters import PARAMETERS
from litellm_homelab.probe.target import target
from tests.docs.blocks import REPOSITORY, blocks
from tests.probe.stand_in import SEEN, StandIn, probed

PROBE = REPOSITORY / "docs" / "probe.md"
WARMUP = REPOSITORY / "docs" / "warmup.md"
UNITS = sorted((REPOSITORY / "deploy" / "systemd").glob("*.service"))
SERVER = StandIn(
    uses=SEEN - {"n", "tools", "tool_choice", "min_p"},
    rejects={"top_k", "response_format json_schema"},
)
"""The server of the page."""
PROGRAM = "/opt/litellm-homelab/.venv/bin/litellm-homelab"


def _commands() -> list[str]:
    typed = [*blocks("text", PROBE)[0].text.splitlines(), *blocks("text", WARMUP)[0].text.splitlines()]
    units = [line for one in blocks("ini", WARMUP) for line in one.text.splitlines()]
    units += [line for path in UNITS for line in path.read_text(encoding="utf-8").splitlines()]
    posts = [line.partition("=")[2].lstrip("-") for line in units if line.startswith("ExecStartPost=")]
    return [*typed, *(one.replace(PROGRAM, "litellm-homelab") for one in posts)]


@pytest.mark.parametrize("command", [one for one in _commands() if one])
def test_the_command_line_takes_it(command: str) -> None:
    """Those of the pages, and those of the shipped units."""
    words = shlex.split(command)
    assert words[0] == "litellm-homelab"
    assert callable(_parser(words[1:]).parse_args(words[1:]).run)


def test_there_are_commands() -> None:
    """Three on each page, two for units there, one in a shipped unit."""
    assert len(_commands()) == 9


def test_what_is_printed() -> None:
    """By the server of this file."""
    said = report.written(probed(SERVER), target("http://attic:8080"), "ATTIC_KEY", colour=False)
    assert said in [block.text for block in blocks("text", PROBE)]


@pytest.mark.parametrize("verdict", ProbeVerdict)
def test_every_verdict_is_explained(verdict: ProbeVerdict) -> None:
    """A row of the table."""
    assert f"| `{verdict.value}` |" in PROBE.read_text(encoding="utf-8")


def test_every_parameter_is_explained() -> None:
    """In a row of what is tried, and no other is."""
    text = PROBE.read_text(encoding="utf-8").partition("## What is tried")[2].partition("## What it")[0]
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall("`([^`]+)`", row)) == sorted(
        one.name for one in PARAMETERS
    )
