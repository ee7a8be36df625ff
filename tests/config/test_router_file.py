"""What router.yaml says about models; what its reader says of bad ones stands in tests/settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.config import router_file
from litellm_homelab.config.router_file import Deployment, RouterFile, resolve

TEXT = """
model_list:
  - model_name: main
    litellm_params:
      model: os.environ/MAIN_MODEL
      api_base: os.environ/MAIN_API_BASE
      api_key: os.environ/NO_KEY
  - model_name: main
    litellm_params: {model: mistral/mistral-small-latest, base_url: "http://127.0.0.1:1/v1"}
    model_info: {mode: embedding}
  - model_name: bare
    litellm_params: {model: gpt-4o}
  - just text
  - {model_name: hollow}
router_settings:
  fallbacks:
    - main: [a, {model: b, messages: []}]
      other: [c]
  context_window_fallbacks: [{a: [d]}]
  content_policy_fallbacks: not a list
  model_group_alias: {quick: main, hidden: {model: bare, hidden: true}}
litellm_settings:
  fallbacks: [{d: e}]
  default_fallbacks: [z]
  callbacks: prometheus
search_tools:
  - {search_tool_name: searxng-search}
  - {no_name: true}
homelab: {showroom: {handles: [main]}}
"""


def parsed(text: str, **environ: str) -> RouterFile:
    """The file without its raw homelab section."""
    return router_file.parse(text, "router.yaml", environ)[0]


FILE = parsed(TEXT, MAIN_MODEL="openai/org/real-main", MAIN_API_BASE="")


def test_deployments_are_read_as_litellm_resolves_them() -> None:
    """Environment references, both spellings of the address, the mode and its default."""
    assert FILE.deployments == (
        Deployment("main", "openai/org/real-main", "", "chat"),
        Deployment("main", "mistral/mistral-small-latest", "http://127.0.0.1:1/v1", "embedding"),
        Deployment("bare", "gpt-4o"),
        Deployment("hollow", ""),
    )
    assert {name: len(found) for name, found in FILE.groups.items()} == {"main": 2, "bare": 1, "hollow": 1}


@pytest.mark.parametrize(
    ("model", "upstream"),
    [
        ("openai/mlx-demo-7b-q4-base", "mlx-demo-7b-q4-base"), ("openai/org/name", "org/name"),
        ("gpt-4o", "gpt-4o"), ("", ""), ("openai/", ""),
    ],
)  # fmt: skip
def test_the_upstream_knows_a_model_without_litellms_provider(model: str, upstream: str) -> None:
    """It is also the registry's key."""
    assert Deployment("main", model).upstream_model == upstream


def test_fallbacks_are_found_wherever_litellm_reads_them() -> None:
    """All lists in both sections, each with its place; the default ones start anywhere."""
    assert FILE.fallbacks == (
        ("router_settings.fallbacks[0]", "main", ("a", "b")),
        ("router_settings.fallbacks[0]", "other", ("c",)),
        ("router_settings.context_window_fallbacks[0]", "a", ("d",)),
        ("litellm_settings.fallbacks[0]", "d", ("e",)),
        ("litellm_settings.default_fallbacks", "*", ("z",)),
    )


@pytest.mark.parametrize(
    ("group", "leads_to"),
    [("main", "main a b d e z"), ("other", "other c z"), ("d", "d e z"), ("z", "z"), ("alone", "alone z")],
)
def test_reachable_follows_fallbacks_to_their_end(group: str, leads_to: str) -> None:
    """Over all lists, since LiteLLM's next error may be of another kind."""
    assert FILE.reachable(group) == set(leads_to.split())


def test_a_circle_of_fallbacks_ends() -> None:
    """The operator's mistake must not hang the start."""
    text = "router_settings: {fallbacks: [{a: [b]}, {b: [a, c]}, {c: [c]}]}"
    assert parsed(text).reachable("a") == {"a", "b", "c"}


def test_the_rest_of_the_file() -> None:
    """Aliases in both spellings, callbacks as text, search tools, what is not set."""
    assert FILE.aliases == {"quick": "main", "hidden": "bare"}
    assert FILE.callbacks == ("prometheus",)
    assert FILE.search_tools == {"searxng-search"}
    assert FILE.unset == (("model_list[0].litellm_params.api_key", "NO_KEY"),)
    assert FILE.includes == ()
    assert router_file.parse(TEXT, "router.yaml", {})[1] == {"showroom": {"handles": ["main"]}}


@given(value=st.none() | st.integers() | st.text() | st.lists(st.text()))
def test_only_references_are_resolved(value: object) -> None:
    """Anything else is what it was, and no reference is left once its variable is set, empty or not."""
    assert resolve(value, {}) is value
    assert resolve("os.environ/NAME", {"NAME": "x", "OTHER": "y"}) == "x"
    assert resolve("os.environ/NAME", {"NAME": ""}) == ""
    assert resolve("os.environ/NAME", {}) == "os.environ/NAME"
