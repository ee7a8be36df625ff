"""The command line's entry point."""

from __future__ import annotations

import subprocess
import sys

import pytest

from litellm_homelab import __version__, cli
from litellm_homelab.cli import main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` names the program and its version."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])

    assert (end.value.code, capsys.readouterr().out) == (0, f"litellm-homelab {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="no subcommand"),
        pytest.param(["upp"], id="unknown subcommand"),
        pytest.param(["up", "--prot", "1"], id="unknown option"),
    ],
)
def test_unusable_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be understood ends with status 2 and the usage."""
    with pytest.raises(SystemExit) as end:
        main(arguments)

    assert end.value.code == 2
    assert "usage: litellm-homelab" in capsys.readouterr().err


@pytest.mark.parametrize("subcommand", ["up", "demo"])
def test_help_without_the_console_script(subcommand: str) -> None:
    """`python -m litellm_homelab.cli` is the same program, each subcommand with its help."""
    command = [sys.executable, "-m", "litellm_homelab.cli", subcommand, "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert shown.startswith(f"usage: litellm-homelab {subcommand}")
    assert "environment" in shown


def test_an_early_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before the subcommand is ready for it ends with a shell's status and without a traceback."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_parser", interrupted)
    assert cli.main(["up"]) == 130
