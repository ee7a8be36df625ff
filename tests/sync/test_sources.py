"""The files that `sync` reads, and what is said of wrong ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from litellm_homelab.sync.sources import Ensemble, read_ensembles, read_registry

LINE = '{"handle": "boost", "approach": "moa", "base": "main"}'


def test_ensembles_are_read_by_handle(tmp_path: Path) -> None:
    """Empty lines and further fields are left alone."""
    path = tmp_path / "ensembles.jsonl"
    path.write_text(f'\n{LINE}\n\n{{"handle": "b", "approach": "re2", "base": "main", "notes": "x"}}\n')
    assert read_ensembles(path) == {
        "boost": Ensemble("boost", "moa", "main"),
        "b": Ensemble("b", "re2", "main"),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "line 1: not JSON", id="not JSON"),
        pytest.param("[1]", "expected a JSON object, got a list", id="a list"),
        pytest.param('{"handle": "a", "base": "b"}', "approach: expected a string, got null", id="missing"),
        pytest.param(LINE.replace("moa", "mao"), "unknown approach 'mao' .known: ", id="approach"),
        pytest.param(LINE.replace("boost", "my boost"), "not a valid name", id="handle"),
        pytest.param(LINE.replace('"main"', "5"), "base: expected a string, got 5", id="base"),
        pytest.param(f"{LINE}\n{LINE}", "line 2: duplicate handle 'boost'; remove one", id="twice"),
        pytest.param(LINE.replace("main", "boost"), "'boost' is its own base, .* a loop", id="a loop"),
        pytest.param(f"[]\n{LINE}\n5", "line 1: .*; write `{.*\n^line 3: .*, got 5; write", id="two lines"),
    ],
)
def test_a_wrong_line_is_named(text: str, said: str, tmp_path: Path) -> None:
    """With its number, and what is valid."""
    path = tmp_path / "ensembles.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.compile(said, re.MULTILINE)):
        read_ensembles(path)


def test_a_registry_needs_no_folders_here(tmp_path: Path) -> None:
    """A drafted one has none yet; an address is read where there is one."""
    path = tmp_path / "registry.json"
    path.write_text('{"version": 2, "models": {"m": {"context_length": 5, "api_base": "http://x/v1"}}}')
    entry = read_registry(path)["m"]
    assert (entry.context_length, entry.api_base) == (5, "http://x/v1")


@pytest.mark.parametrize("address", [5, "host", "ftp://x"])
def test_an_address_of_the_registry_is_one(address: object, tmp_path: Path) -> None:
    """It becomes a deployment's."""
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"version": 2, "models": {"m": {"api_base": address}}}))
    with pytest.raises(ValueError, match=r"models\.m\.api_base: expected an address, got .*; write one such"):
        read_registry(path)
