"""What each kind of server is asked, and what its documented answers say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.backends import kinds
from litellm_homelab.backends.kinds import KINDS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "models", "running", "id", "name", "model", "aliases", "state"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
OPENAI = {"object": "list", "data": [{"id": "qwen3", "object": "model"}, {"id": "llama3"}]}
TAGS = {"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "size": 1}, {"name": "llama3:latest"}]}
PS = {"models": [{"name": "llama3:latest", "expires_at": "2026-11-26T10:00:00Z", "size_vram": 1}]}
SWAP = {"object": "list", "data": [{"id": "qwen3", "aliases": ["q"]}, {"id": "llama3"}]}
RUNNING = {"running": [{"model": "qwen3", "state": "ready", "ttl": 0}]}
STUDIO = {"data": [{"id": "qwen3", "state": "loaded"}, {"id": "llama3", "state": "not-loaded"}]}
LLAMA = {"llama3", "llama3:latest"}
LOADS = ("chat", "generate", "completions", "load", "pull", "embed", "show", "upstream")
"""Words of paths that load a model, or renew its keep-alive."""


@pytest.mark.parametrize(
    ("kind", "answers", "models", "loaded"),
    [
        pytest.param("openai", [OPENAI], None, set(), id="openai: not complete"),
        pytest.param("mlx", [OPENAI], None, set(), id="mlx: not complete"),
        pytest.param("vllm", [OPENAI], {"qwen3", "llama3"}, set(), id="vllm"),
        pytest.param(
            "ollama",
            [TAGS, PS],
            {"qwen3:8b", "llama3", "llama3:latest"},
            {"llama3", "llama3:latest"},
            id="ollama",
        ),
        pytest.param("ollama", [TAGS], {"qwen3:8b", *LLAMA}, set(), id="ollama without ps"),
        pytest.param("ollama", [{"models": []}], set(), set(), id="ollama with nothing pulled"),
        pytest.param("llama-swap", [SWAP, RUNNING], {"qwen3", "q", "llama3"}, {"qwen3"}, id="llama-swap"),
        pytest.param("lm-studio", [STUDIO], {"qwen3", "llama3"}, {"qwen3"}, id="lm-studio"),
        pytest.param("vllm", ["<html>"], None, set(), id="no list at all"),
        pytest.param("ollama", [{"error": "x"}], None, set(), id="an error with a 200"),
    ],
)
def test_an_answer_says_which_models_there_are(
    kind: str, answers: list[Any], models: set[str] | None, loaded: set[str]
) -> None:
    """Where a list does not say, nothing is known: that is not the same as none."""
    found = kinds.read(KINDS[kind], answers)
    expected = None if models is None else frozenset(models)
    assert (found.models, found.loaded) == (expected, frozenset(loaded))


@pytest.mark.parametrize("kind", KINDS)
@given(answers=st.lists(JSON, min_size=1, max_size=2))
def test_no_answer_breaks_the_reader(kind: str, answers: list[Any]) -> None:
    """Any JSON is read; names in it are texts."""
    found = kinds.read(KINDS[kind], answers)
    assert all(isinstance(name, str) for name in (*(found.models or ()), *found.loaded))


@pytest.mark.parametrize("kind", KINDS)
def test_no_question_loads_a_model(kind: str) -> None:
    """Lists are read; nothing is generated, pulled or shown."""
    assert not [path for path in KINDS[kind].asks for word in LOADS if word in path]


@pytest.mark.parametrize("base", ["http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1/", "http://127.0.0.1:1"])
def test_the_version_of_an_address_is_not_asked_for_twice(base: str) -> None:
    """An api_base ends with /v1 for some providers, and does not for others."""
    assert kinds.urls(KINDS["vllm"], base) == ("http://127.0.0.1:1/v1/models",)
    assert kinds.urls(KINDS["ollama"], base) == ("http://127.0.0.1:1/api/tags", "http://127.0.0.1:1/api/ps")


@pytest.mark.parametrize("kind", ["cloud", "optillm"])
def test_what_costs_something_is_never_asked(kind: str) -> None:
    """A cloud counts requests, and an OptiLLM calls back."""
    assert kind not in KINDS
