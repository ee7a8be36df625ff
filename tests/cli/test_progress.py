"""How far a command is."""

from __future__ import annotations

import sys

import pytest

from litellm_homelab.cli import progress as module


def test_a_quick_command_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither on its way nor at its end."""
    say, end = module.progress()
    say("one")
    end()
    assert capsys.readouterr().err == ""


def test_a_slow_one_says_each_step_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On lines of their own where there is no terminal; what a server said is text."""
    monkeypatch.setattr(module, "QUIET_SECONDS", -1.0)
    say, end = module.progress()
    for what in ("one", "one", "two \x1b[31m"):
        say(what)
    end()
    assert capsys.readouterr().err == "   0 s  one\n   0 s  two \\x1b[31m\n"


def test_on_a_terminal_one_line_is_written_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And it is gone at the end."""
    monkeypatch.setattr(module, "QUIET_SECONDS", -1.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    say, end = module.progress()
    say("one")
    end()
    assert capsys.readouterr().err == "\r\x1b[K   0 s  one\r\x1b[K"


def test_why_a_command_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """One line without a key."""
    assert module.failed("probe", "no\nsk-abcdefgh12345678", 2) == 2
    assert capsys.readouterr().err == "litellm-homelab probe: no\\n(hidden)\n"
