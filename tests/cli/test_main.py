"""The command line's entry point."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

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
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout

    assert shown.startswith(f"usage: litellm-homelab {subcommand}")
    assert "environment" in shown


WHAT_UP_SHOWS = {
    "litellm_homelab.demo",
    "litellm_homelab.demo.config",
    "litellm_homelab.reviewed",
    "litellm_homelab.reviewed.surface",
}
"""The demo's ports, and the line about what nobody has reviewed: standard library only."""
IMPORTED_BY_HELP = r"""
import json, sys
before = set(sys.modules)
from litellm_homelab.cli import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--help"], id="program"),
        pytest.param(["up", "--help"], id="up"),
        pytest.param(["demo", "--help"], id="demo"),
        pytest.param(["check", "--help"], id="check"),
        pytest.param(["init", "--help"], id="init"),
        pytest.param(["map", "--help"], id="map"),
        pytest.param(["status", "--help"], id="status"),
        pytest.param(["verify", "--help"], id="verify"),
        pytest.param(["sync", "--help"], id="sync"),
        pytest.param(["mcp", "--help"], id="mcp"),
        pytest.param(["schema", "--help"], id="schema"),
        pytest.param(["selftest", "--help"], id="selftest"),
        pytest.param(["--version"], id="version"),
    ],
)
def test_help_imports_the_command_line_only(arguments: list[str]) -> None:
    """
    Help takes a fraction of a second: it imports no dependency, no asyncio, and nothing of ours but cli/.

    The processor time is printed and not asserted: it depends on the machine.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED_BY_HELP, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.2f} s of processor time")

    imported = json.loads(done.stderr)
    ours = {name for name in imported if name.split(".")[0] == "litellm_homelab"}
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names} - ours
    command_line = {name for name in ours if name.startswith("litellm_homelab.cli")}
    assert foreign == set()
    assert {"litellm_homelab"} <= ours - command_line <= {"litellm_homelab", *WHAT_UP_SHOWS}
    assert "asyncio" not in imported


@pytest.mark.parametrize("command", [name for name in cli.COMMANDS if name != "up"])
def test_a_command_imports_no_other(command: str) -> None:
    """`check` runs before each commit: others would take their time. (`up` uses the demo's.)"""
    words = [sys.executable, "-c", IMPORTED_BY_HELP, command, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
    modules = {f"litellm_homelab.cli.{name}" for name in cli.COMMANDS}
    assert modules & {*json.loads(done.stderr)} == {f"litellm_homelab.cli.{command}"}


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each module that adds a command is among them."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if f"    {name} " not in said] == []
    folder = Path(cli.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "def add_parser(" in path.read_text("utf-8")}
    assert modules == {*cli.COMMANDS}


def test_a_reader_that_leaves_ends_a_command_quietly() -> None:
    """`litellm-homelab schema | head -1` ends as other programs do, without a traceback."""
    words = [sys.executable, "-m", "litellm_homelab.cli", "schema"]
    # Unbuffered, Python takes a write of which only a part was read for a whole one.
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=environ, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=60) == cli.UNREAD
    assert said == ""


def test_an_early_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before the subcommand is ready for it ends with a shell's status and without a traceback."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_parser", interrupted)
    assert cli.main(["up"]) == 130
