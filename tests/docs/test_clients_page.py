"""docs/clients.md: clients that the tests know, at their addresses, with settings that parse."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
import yaml

from tests.clients.matrix import TABLE
from tests.docs.blocks import REPOSITORY, blocks

PAGE = REPOSITORY / "docs" / "clients.md"
TEXT = PAGE.read_text(encoding="utf-8")
CLIENTS = REPOSITORY / "tests" / "clients"
RUN = {line.split()[0] for line in TABLE.strip().splitlines()[1:]}
RECORDED = {path.stem for path in CLIENTS.glob("*.yaml")}
BASE = "http://127.0.0.1:4000/v1"
AT_THE_ROOT = {"anthropic", "claude-code"}
"""Clients whose API has the version in its own paths."""


def _rows(kind: str) -> list[tuple[str, str]]:
    """Base URL and name of each client that is tried in this way."""
    rows = re.findall(rf"^\| .+ \| `(GATEWAY\S*)` \| {kind}: (.+) \|$", TEXT, re.MULTILINE)
    return [(base, name) for base, names in rows for name in names.split(", ")]


def test_it_names_every_client_that_is_run() -> None:
    """And no other one as run."""
    assert {name for _, name in _rows("run")} == RUN


def test_what_it_calls_recorded_is_recorded() -> None:
    """Requests of each are below tests/clients."""
    assert {name for _, name in _rows("recorded")} <= RECORDED


@pytest.mark.parametrize(("base", "name"), [*_rows("run"), *_rows("recorded")])
def test_the_base_url_ends_as_the_api_needs(base: str, name: str) -> None:
    """With /v1 for OpenAI's API, without for Anthropic's."""
    assert base == ("GATEWAY" if name in AT_THE_ROOT else "GATEWAY/v1")


def test_opencode_asks_before_it_acts() -> None:
    """The provider that the tests run, with `bash` and `edit` on ask."""
    (block,) = blocks("json", PAGE)
    settings = json.loads(block.text)
    (provider,) = settings["provider"].values()
    driver = (CLIENTS / "python" / "opencode.py").read_text(encoding="utf-8")
    assert f'"{provider["npm"]}"' in driver
    assert set(provider["options"]) == {"baseURL", "apiKey"}
    assert provider["options"]["baseURL"] == BASE
    assert settings["permission"] == {"bash": "ask", "edit": "ask"}


def test_llm_has_the_settings_that_are_run() -> None:
    """The keys of the driver's own file."""
    (block,) = blocks("yaml", PAGE)
    (model,) = yaml.safe_load(block.text)
    driver = (CLIENTS / "python" / "llm_command.py").read_text(encoding="utf-8")
    assert set(re.findall(r"^[- ] (\w+): ", driver, re.MULTILINE)) == set(model)
    assert model["api_base"] == BASE


def test_codex_speaks_the_api_that_is_recorded() -> None:
    """Responses, at the provider that the file itself defines."""
    (block,) = blocks("toml", PAGE)
    settings = tomllib.loads(block.text)
    provider = settings["model_providers"][settings["model_provider"]]
    assert (provider["base_url"], provider["wire_api"]) == (BASE, "responses")
    recorded = yaml.safe_load((CLIENTS / "codex.yaml").read_text(encoding="utf-8"))
    assert {one["POST"].partition("?")[0] for one in recorded["requests"]} >= {"/v1/responses"}
