"""`litellm-homelab mcp`: what it needs, and what it refuses to start with."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from litellm_homelab.cli import main
from litellm_homelab.cli import mcp as command
from litellm_homelab.mcp_server import server
from litellm_homelab.mcp_server.addresses import AddressRule, opening_of
from litellm_homelab.mcp_server.reading import ReadingLimits
from litellm_homelab.mcp_server.search import SearchAddress

KEY = "sk-callers-own-key-1"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would be served, in place of serving it; the key is in LAB_KEY."""
    made: list[tuple[Any, ...]] = []

    async def serve(*given: object, underscores: bool) -> None:
        made.append((*given, underscores))

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setenv("LAB_KEY", KEY)
    monkeypatch.delenv("HOMELAB_URL", raising=False)
    return made


def test_defaults(served: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    """The local gateway, SearXNG's tool, no private address; nothing on standard output but the protocol."""
    assert main(["mcp"]) == 0
    address = SearchAddress("http://127.0.0.1:4000/v1/search/searxng-search", KEY)
    assert served == [(address, AddressRule([]), ReadingLimits(5_000_000, 20.0), False)]
    assert capsys.readouterr().out == ""


def test_options(served: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each has its place; a key file comes before the variable."""
    file = tmp_path / "key"
    file.write_text(" sk-of-the-file-0001\n", encoding="utf-8")
    monkeypatch.setenv("HOMELAB_URL", "https://gateway.example")
    options = ["--tool", "brave", "--allow", "10.0.0.0/8", "--allow", "127.0.0.1:81", "--max-mb", "0.5"]
    assert main(["mcp", *options, "--timeout", "7", "--underscores", "--key-file", str(file)]) == 0
    address = SearchAddress("https://gateway.example/v1/search/brave", "sk-of-the-file-0001")
    rule = AddressRule([opening_of("10.0.0.0/8"), opening_of("127.0.0.1:81")])
    assert served == [(address, rule, ReadingLimits(500_000, 7.0), True)]


def test_another_variable(served: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """For the key."""
    monkeypatch.setenv("AGENT_KEY", "sk-another-key-0001")
    assert main(["mcp", "--key-env", "AGENT_KEY", "--url", "http://gateway:4000/v1"]) == 0
    assert served[0][0] == SearchAddress(
        "http://gateway:4000/v1/search/searxng-search", "sk-another-key-0001"
    )


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--key-env", "UNSET_KEY"], "no key: set UNSET_KEY to a caller's key"),
        (["--key-file", "missing"], "missing: "),
        (["--url", "ftp://x"], "address of the gateway is not usable"),
        (["--tool", "a/b"], "name of the search tool"),
        (["--allow", "nas"], "'nas' is not an address or network"),
    ],
)
def test_what_it_does_not_start_with(
    options: list[str], why: str, served: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error, and status 2."""
    assert main(["mcp", *options]) == 2
    said = capsys.readouterr()
    assert (said.out, served) == ("", [])
    assert said.err.startswith("litellm-homelab mcp: ")
    assert why in said.err
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--key", KEY], "every user of this machine can read a command line"),
        (["--max-mb", "0"], "a number above 0"),
        (["--timeout", "x"], "a number above 0"),
        (["--timeout", "nan"], "a number above 0"),
    ],
)
def test_unusable_options(options: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A key has no place on a command line; sizes and times are above nothing."""
    with pytest.raises(SystemExit) as end:
        main(["mcp", *options])
    assert end.value.code == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("missing", command._NEEDED)
def test_a_missing_extra(
    missing: str,
    served: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The message says what to install."""

    def find(name: str) -> ModuleSpec | None:
        return None if name == missing else ModuleSpec(name, None)

    monkeypatch.setattr(command, "find_spec", find)
    assert main(["mcp"]) == 2
    assert "pip install 'litellm-homelab[mcp]'" in capsys.readouterr().err
    assert served == []


def test_the_extra_has_what_is_needed() -> None:
    """Each module that is looked for comes with a package of the extra."""
    extra = {
        one.name
        for one in map(Requirement, requires("litellm-homelab") or ())
        if one.marker and "mcp" in str(one.marker)
    }
    assert extra == {"mcp", "trafilatura", "readability-lxml", "lxml"}
    assert {name.replace("readability", "readability-lxml") for name in command._NEEDED} == extra


def test_nothing_but_the_protocol_is_printed(tmp_path: Path) -> None:
    """As a process whose client leaves immediately: status 0, and nothing on standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "litellm_homelab.cli", "mcp"],
        env={"LAB_KEY": KEY, "PATH": "", "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
