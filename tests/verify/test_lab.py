"""What is expected of a gateway: by its router.yaml, or by its listing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litellm_homelab.verify import lab
from litellm_homelab.verify.exchange import KeyRole, VerifyReply
from litellm_homelab.verify.lab import LabUnusable
from tests.verify.sabotage import KEYS, ROUTER

URL = "http://127.0.0.1:4000"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("127.0.0.1:4000", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/v1/", "http://127.0.0.1:4000"),
        ("https://lab.example/llm", "https://lab.example/llm"),
    ],
)
def test_an_address(given: str, found: str) -> None:
    """Without /v1, which every client has in it."""
    assert lab.address(given) == found


@pytest.mark.parametrize(
    "given",
    ["", "ftp://x", "http://", "http://a b", "http://sk-key@x", "http://x/?key=sk-1", "http://x:99999999"],
)
def test_what_is_not_an_address(given: str) -> None:
    """A key in it is refused and not repeated."""
    with pytest.raises(LabUnusable) as error:
        lab.address(given)
    assert "sk-" not in str(error.value)


def test_the_shipped_lab() -> None:
    """The client is open-webui, which may use five handles; keys come from the variables of the file."""
    found = lab.of_config(URL, ROUTER, KEYS)
    assert found.handles == ("main", "deep", "fast", "boost", "embed")
    assert found.plain == "main"
    assert found.closed == ("mlx-gpt-oss-120b-mxfp4-q4", "boost-base")
    assert [(one.name, one.key, one.max_calls) for one in found.lanes] == [("boost", KeyRole.CLIENT, 64)]
    assert found.search_tools == {"searxng-search": "searxng"}
    assert (found.may_leave, found.has_page, found.has_ui, found.has_prometheus) == (True, True, False, True)
    assert {found.keys.variable(role): value for role, value in found.keys.values.items()} == KEYS
    assert "sk-" not in repr(found)


def test_a_client_without_a_known_key() -> None:
    """The master key takes its place, which may use every handle and hidden name."""
    found = lab.of_config(URL, ROUTER, {"LITELLM_MASTER_KEY": "sk-master-master"})
    assert found.client is KeyRole.MASTER
    assert found.reader is KeyRole.MASTER
    assert "swap" in found.handles
    assert found.closed == ("boost-base",)


FILE = """
homelab:
  showroom: {handles: [chat, more, "ollama/*"], internal: [base]}
  callers:
    narrow: {key: sk-narrow-narrow, handles: [chat], routes: [/v1/models]}
    wide: {key: os.environ/WIDE_KEY, handles: [chat]}
    numbers: {key: sk-numbers-numbers, role: metrics}
  optillm: {more: {approaches: [none, moa], tags: neutralise}}
model_list:
  - {model_name: chat, litellm_params: {model: lm_studio/a, api_base: "http://127.0.0.1:1/v1"}}
  - {model_name: more, litellm_params: {model: lm_studio/base, api_base: "http://127.0.0.1:2/v1"}}
  - {model_name: base, litellm_params: {model: lm_studio/b, api_base: "http://127.0.0.1:3/v1"}}
  - {model_name: attic, litellm_params: {model: lm_studio/c, api_base: "http://127.0.0.1:4/v1"}}
  - {model_name: "ollama/*", litellm_params: {model: "ollama_chat/*", api_base: "http://127.0.0.1:5"}}
litellm_settings: {callbacks: [litellm_homelab.plugin]}
general_settings: {master_key: sk-written-master, custom_auth: litellm_homelab.gate}
"""


def test_keys_that_are_written_in_the_file(tmp_path: Path) -> None:
    """A caller without `routes` goes first; one key of each role is enough."""
    path = tmp_path / "router.yaml"
    path.write_text(FILE, encoding="utf-8")
    found = lab.of_config(URL, path, {"WIDE_KEY": "sk-wide-wide-wide"})
    assert found.keys.values == {
        KeyRole.MASTER: "sk-written-master",
        KeyRole.CLIENT: "sk-wide-wide-wide",
        KeyRole.METRICS: "sk-numbers-numbers",
    }
    assert found.keys.variable(KeyRole.CLIENT) == "WIDE_KEY"
    assert found.closed == ("base", "attic")
    assert [(one.name, one.key, one.refuses_tags) for one in found.lanes] == [("more", KeyRole.MASTER, False)]
    assert found.has_page is False
    assert lab.of_config(URL, path, {}).keys.values[KeyRole.CLIENT] == "sk-narrow-narrow"


@pytest.mark.parametrize(
    "text", [None, "- a list", "homelab: {showroom: {handle: [a]}}", "homelab: [1]", "a: b: c"]
)
def test_a_file_that_cannot_be_used(text: str | None, tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "router.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(LabUnusable, match=r"router\.yaml: "):
        lab.of_config(URL, path, {})


def test_a_lab_by_its_listing() -> None:
    """The first chat handle is the plain one; `boost` is taken for OptiLLM."""
    rows = [{"id": "embed", "mode": "embedding"}, {"id": "boost"}, {"id": "main", "mode": "chat"}, 5]
    known = lab.without_config(URL, KEYS)
    found = lab.learned(known, VerifyReply(200, {}, json.dumps({"data": rows})))
    assert (found.plain, [one.name for one in found.lanes]) == ("main", ["boost"])
    assert lab.learned(known, VerifyReply(500)).plain == ""


def test_a_configured_lab_learns_nothing() -> None:
    """Its file says what there is."""
    known = lab.of_config(URL, ROUTER, KEYS)
    assert lab.learned(known, VerifyReply(200, {}, '{"data": [{"id": "x"}]}')) is known
