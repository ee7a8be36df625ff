"""The environment file: plain lines, fresh secrets, never overwritten."""

from __future__ import annotations

import re
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.cli.environment import EnvironmentFileError, parse, prepare, with_fresh_secrets

EXAMPLE = """\
# The operator's key.
LITELLM_MASTER_KEY=sk-generate
GATE_KEY=generate
PORT=4000
"""


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("A=1\nB=two\n", {"A": "1", "B": "two"}, id="lines"),
        pytest.param("# A=1\n\n  # note\n", {}, id="comments and blank lines"),
        pytest.param("A=\n", {"A": ""}, id="empty value"),
        pytest.param("  A=1  \n", {"A": "1"}, id="space around"),
        pytest.param("A=1\nA=2\n", {"A": "2"}, id="the last one counts, as in a shell"),
        pytest.param("A=http://127.0.0.1:1/v1?x=y#z\n", {"A": "http://127.0.0.1:1/v1?x=y#z"}, id="address"),
        pytest.param("A=openai/qwen2.5:3b", {"A": "openai/qwen2.5:3b"}, id="no newline at the end"),
    ],
)
def test_reads_plain_lines(text: str, values: dict[str, str]) -> None:
    """`NAME=value` lines are read as they stand."""
    assert parse(text, "env.local") == values


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("KEY=two words", id="space"),
        pytest.param('KEY="quoted"', id="quotes"),
        pytest.param("KEY=$OTHER", id="variable"),
        pytest.param("KEY=`id`", id="command"),
        pytest.param("KEY=a;b", id="semicolon"),
        pytest.param("KEY=a&b", id="ampersand"),
        pytest.param("KEY=~/x", id="home"),
        pytest.param("KEY=a\\b", id="backslash"),
        pytest.param("KEY=x\r", id="Windows line end"),
        pytest.param("export KEY=1", id="export"),
        pytest.param("KEY", id="no value"),
        pytest.param("1KEY=x", id="not a name"),
        pytest.param("MY-KEY=x", id="dash in the name"),
    ],
)
def test_refuses_what_a_shell_reads_otherwise(line: str) -> None:
    """A line that is not plain is refused with its place."""
    with pytest.raises(EnvironmentFileError, match=r"^env.local:2: .*KEY.*valid: "):
        parse(f"A=1\n{line}\n", "env.local")


def test_lists_every_problem_without_the_values() -> None:
    """All wrong lines are named at once; what may be a key is not repeated."""
    with pytest.raises(EnvironmentFileError) as refusal:
        parse("A=sk-secret one\nexport B=sk-secret\n", "env.local")

    lines = str(refusal.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["env.local:1:", "env.local:2:"]
    assert "sk-secret" not in str(refusal.value)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=12))
def test_agrees_with_the_shell(value: str) -> None:
    """Whatever is accepted is what `. env.local` gives a shell."""
    text = f"NAME={value}\n"
    try:
        read = parse(text, "env.local")
    except EnvironmentFileError:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.write(text)
        file.flush()
        script = f'set -a; . {file.name}; printf %s "$NAME"'
        shell = subprocess.run(
            ["sh", "-c", script], env={}, capture_output=True, text=True, check=True, timeout=300
        )
    assert read["NAME"] == shell.stdout


def test_fresh_secrets() -> None:
    """Each placeholder becomes a secret of its own; every other line stays."""
    once, twice = with_fresh_secrets(EXAMPLE), with_fresh_secrets(EXAMPLE)
    values = parse(once, "env.example")

    assert re.fullmatch(r"sk-[0-9a-f]{32}", values["LITELLM_MASTER_KEY"])
    assert re.fullmatch(r"[0-9a-f]{32}", values["GATE_KEY"])
    assert values["PORT"] == "4000"
    assert once.startswith("# The operator's key.\n")
    assert once != twice


@pytest.mark.parametrize("value", ["regenerate", "sk-generate-1", "", "Generate"])
def test_only_the_exact_placeholder_is_replaced(value: str) -> None:
    """A value that merely looks like a placeholder is a value."""
    assert with_fresh_secrets(f"A={value}\n") == f"A={value}\n"


def test_makes_the_file_once(tmp_path: Path) -> None:
    """The first start writes the file for its owner only; the next one reads the same keys."""
    example, local = tmp_path / "env.example", tmp_path / "env.local"
    example.write_text(EXAMPLE)
    first, second = prepare(example, local), prepare(example, local)

    assert stat.S_IMODE(local.stat().st_mode) == 0o600
    assert first.values == second.values
    assert "generate" not in first.values.values()
    assert (len(first.notes), second.notes) == (1, ())
    assert f"made from {example}" in first.notes[0]


def test_never_changes_the_file(tmp_path: Path) -> None:
    """Names that the example has and the file has not are named and used, not written."""
    example, local = tmp_path / "env.example", tmp_path / "env.local"
    example.write_text(EXAMPLE)
    local.write_text("LITELLM_MASTER_KEY=sk-mine\nOWN=1\n")
    found = prepare(example, local)

    assert local.read_text() == "LITELLM_MASTER_KEY=sk-mine\nOWN=1\n"
    assert found.values == {
        "LITELLM_MASTER_KEY": "sk-mine",
        "OWN": "1",
        "PORT": "4000",
        "GATE_KEY": found.values["GATE_KEY"],
    }
    assert len(found.values["GATE_KEY"]) == 32
    assert found.notes == (
        f"{local}: lacks GATE_KEY, PORT: as in {example} for this start; add the lines to keep them",
    )


def test_what_is_commented_out_stays_out(tmp_path: Path) -> None:
    """A name that the operator has commented out is not brought back."""
    example, local = tmp_path / "env.example", tmp_path / "env.local"
    example.write_text("A=1\nB=2\n")
    local.write_text("A=1\n#B=2\n")

    assert prepare(example, local).values == {"A": "1"}
    assert prepare(example, local).notes == ()


def test_neither_file(tmp_path: Path) -> None:
    """Without both files there is nothing to start with."""
    with pytest.raises(EnvironmentFileError, match=r"env\.local: no such file, and no .*env\.example"):
        prepare(tmp_path / "env.example", tmp_path / "env.local")
