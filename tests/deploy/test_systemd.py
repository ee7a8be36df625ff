"""The systemd units are ones that systemd accepts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy import facts

REPOSITORY = Path(__file__).parents[2]
UNITS = sorted((REPOSITORY / "deploy" / "systemd").glob("*.service"))
INSTALLED = "/opt/litellm-homelab/"


def test_there_is_a_unit_for_the_gateway_and_one_for_optillm() -> None:
    """The parametrised test below does not run empty."""
    assert {unit.stem for unit in UNITS} == {"litellm-homelab", "litellm-homelab-optillm"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    """With the commands of this checkout in the place of the installed ones, systemd-analyze is silent."""
    for each in UNITS:
        text = re.sub(r"(?<==)\S+/\.venv/bin/litellm[a-z-]*", "/bin/true", each.read_text())
        (tmp_path / each.name).write_text(text.replace(INSTALLED, f"{REPOSITORY}/"))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_answers_under_way_are_finished() -> None:
    """Stopping the gateway waits for longer than the longest timeout."""
    unit = (REPOSITORY / "deploy" / "systemd" / "litellm-homelab.service").read_text(encoding="utf-8")
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(seconds) > facts.longest_timeout()
