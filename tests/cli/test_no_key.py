"""A key in an argument is refused by each command that takes one."""

from __future__ import annotations

import pytest

from litellm_homelab.cli import main

KEY = "sk-secret-0123456789"


@pytest.mark.parametrize(
    "command",
    [["probe", "http://lab"], ["warmup", "http://lab"], ["verify", "http://lab"], ["status"], ["mcp"]],
    ids=lambda one: one[0],
)
def test_a_key_in_an_argument_is_an_error(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """It says where to put it, and does not repeat it."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "--key", KEY])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "every user of this machine can read a command line; " in said
    assert KEY not in said
