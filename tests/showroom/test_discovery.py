"""Which models of a backend's list become handles, and what the rule makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litellm_homelab.access.callers import MASTER, Caller
from litellm_homelab.adapter.backends.discovered import Discovered
from litellm_homelab.config.loading import load
from litellm_homelab.config.settings import Known, Settings
from litellm_homelab.decision import Allow, RefusalType, Refuse
from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.showroom import modes
from litellm_homelab.showroom.discovery import Discovery
from litellm_homelab.showroom.rule import Showroom

ROUTER = """
homelab:
  showroom:
    handles: [main, boost]
    internal: [spare]
    registry: registry.json
    roots: [/srv/models]
    discover:
      box: {group: "%s", only: %s, except: %s}
  optillm: {boost: {approaches: [none]}}
  callers: {optillm: {key: sk-optillm-optillm, role: optillm}}
  backends:
    box: {at: ["http://127.0.0.1:11434"], kind: ollama, presence: {probe_seconds: 15}}
model_list:
  - {model_name: main, litellm_params: {model: openai/real-main, api_base: "http://127.0.0.1:1/v1"}}
  - {model_name: boost, litellm_params: {model: openai/spare, api_base: "http://127.0.0.1:3/v1"}}
  - {model_name: spare, litellm_params: {model: openai/real-spare, api_base: "http://127.0.0.1:1/v1"}}
  - {model_name: "%s", litellm_params: {model: "ollama_chat/*", api_base: "http://127.0.0.1:11434"}}
  - {model_name: ollama/secret, litellm_params: {model: openai/secret, api_base: "http://127.0.0.1:2/v1"}}
  - {model_name: ollama/hf.co/*, litellm_params: {model: "openai/*", api_base: "http://127.0.0.1:2/v1"}}
router_settings:
  model_group_alias: {ollama/alias: main}
  default_fallbacks: [spare]
litellm_settings: {callbacks: [litellm_homelab.plugin]}
general_settings: {master_key: sk-m, custom_auth: litellm_homelab.gate}
"""
REGISTRY = {
    "version": 2,
    "models": {"stray": {"cache_path": "/tmp/stray"}, "kept": {"cache_path": "/srv/models/kept"}},
}


def settings(
    folder: Path, group: str = "ollama/*", only: list[str] | None = None, but: list[str] | None = None
) -> Settings:
    """The settings of `ROUTER` with these patterns."""
    (folder / "registry.json").write_text(json.dumps(REGISTRY), encoding="utf-8")
    text = ROUTER % (group, json.dumps(only or []), json.dumps(but or []), group)
    path = folder / "router.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ={}, known=Known())


def discovered(found: Settings) -> Discovered:
    """What one worker knows of lists: nothing yet."""
    return Discovered(Discovery(found), lambda model, _: modes.guessed(model), {"box": 15})


LISTS = [
    ("all", [], [], ["a", "b:7b"], ["ollama/a", "ollama/b:7b"]),
    ("only", ["qwen*"], [], ["qwen3:4b", "Qwen2", "llama3"], ["ollama/Qwen2", "ollama/qwen3:4b"]),
    ("except", [], ["*-base"], ["q", "q-base", "q-base:7b", "q-base:latest"], ["ollama/q"]),
    ("except comes first", ["q*"], ["q*"], ["q"], []),
    ("without the tag latest", ["qwen3"], [], ["qwen3:latest", "qwen3:4b"], ["ollama/qwen3:latest"]),
    ("both spellings of one", [], [], ["qwen3:latest", "qwen3"], ["ollama/qwen3:latest"]),
    ("no valid name", [], [], ["a b", "ü", "*", f"a{MARKER}x", ""], []),
    ("a backroom model's name", [], [], ["secret"], []),
    ("an alias's name", [], [], ["alias"], []),
    ("below a closer wildcard", [], [], ["hf.co/org/model"], []),
    ("outside of the roots", [], [], ["stray", "kept"], ["ollama/kept"]),
]


@pytest.mark.parametrize(
    ("only", "but", "models", "shown"), [one[1:] for one in LISTS], ids=[one[0] for one in LISTS]
)
def test_what_of_a_list_becomes_a_handle(
    tmp_path: Path, only: list[str], but: list[str], models: list[str], shown: list[str]
) -> None:
    """`only` and `except`, then the rules of names; a name of router.yaml keeps its place."""
    late = discovered(settings(tmp_path, "ollama/*", only, but))
    late.learn("box", frozenset(models))
    assert list(late.shown) == shown


@pytest.mark.parametrize("model", ["main", "spare", "moa-qwen", "mlx-QWEN", "boost"])
def test_a_bare_name_takes_nothing_over(tmp_path: Path, model: str) -> None:
    """Below the group `*` a model may be called as a handle is, as an approach begins, or wrongly."""
    late = discovered(settings(tmp_path, "*"))
    late.learn("box", frozenset({model, "mlx-qwen-7b-q4"}))
    assert late.shown == ("mlx-qwen-7b-q4",)


def test_the_rule_serves_names_while_they_are_listed(tmp_path: Path) -> None:
    """With their modes, to callers without `handles` and those that name them, never to metrics."""
    found = settings(tmp_path)
    late = discovered(found)
    rule = Showroom.from_settings(found, late=late)
    late.changed = rule.forget
    late.learn("box", frozenset({"qwen", "nomic-embed-text"}))
    assert rule.listed(MASTER) == ("main", "boost", "ollama/nomic-embed-text", "ollama/qwen")
    assert rule.request("acompletion", "ollama/qwen", [], MASTER) == Allow()
    embedding = rule.request("acompletion", "ollama/nomic-embed-text", [], MASTER)
    assert isinstance(embedding, Refuse)
    assert embedding.status == 400
    named = Caller("app", handles=frozenset({"ollama/qwen"}))
    assert rule.served(named) == {"ollama/qwen"}
    assert rule.served(Caller("other", handles=frozenset({"main"}))) == {"main"}
    assert not rule.served(Caller("watch", role="metrics"))
    assert rule.attempt("ollama/qwen", "ollama/qwen", MASTER) == Allow()
    assert rule.attempt("ollama/qwen", "spare", MASTER) == Allow()
    for group in ("ollama/*", "ollama/nomic-embed-text", "ollama/secret", "main"):
        assert isinstance(rule.attempt("ollama/qwen", group, MASTER), Refuse), group
    late.learn("box", frozenset({"nomic-embed-text"}))
    gone = rule.request("acompletion", "ollama/qwen", [], MASTER)
    assert gone == rule.not_found("ollama/qwen", MASTER)


def test_a_name_is_503_until_its_backend_has_listed_its_models(tmp_path: Path) -> None:
    """It may be there; a name that no list can give is not found meanwhile."""
    found = settings(tmp_path, "ollama/*", ["qwen*"])
    late = discovered(found)
    rule = Showroom.from_settings(found, late=late)
    late.changed = rule.forget
    waits = rule.request("acompletion", "ollama/qwen", [], MASTER)
    assert isinstance(waits, Refuse)
    assert (waits.type, waits.retry_after) == (RefusalType.MODEL_ABSENT, 15)
    named = Caller("app", handles=frozenset({"main"}))
    for name, caller in (
        ("ollama/mistral", MASTER),
        ("ollama/secret", MASTER),
        ("ollama/", MASTER),
        ("ollama/*", MASTER),
        ("ollama/qwen", named),
    ):
        assert rule.request("acompletion", name, [], caller) == rule.not_found(name, caller), name
    late.learn("box", frozenset())
    assert rule.request("acompletion", "ollama/qwen", [], MASTER) == rule.not_found("ollama/qwen", MASTER)
