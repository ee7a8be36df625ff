"""What the settings say of names, chains, callers and backends."""

from __future__ import annotations

from litellm_homelab.page import configured
from litellm_homelab.page.facts import BackendFacts, Deployed
from tests.drawing import lab


def test_names_have_one_place_each() -> None:
    """In the order of the showroom; discovered names are handles."""
    settings = lab.read().settings
    assert [*configured.placed(settings, ["new", "main"])] == [
        ("main", "handle"),
        ("boost", "handle"),
        ("new", "handle"),
        ("exact", "hidden"),
        ("base", "internal"),
        ("spare", "internal"),
    ]


def test_default_fallbacks_are_a_chain_of_every_name() -> None:
    """A name's own chain counts before it; no name falls back to itself."""
    settings = lab.read(("fallbacks: [", "default_fallbacks: [base]\n  fallbacks: [")).settings
    assert configured.chains(settings, ["main", "boost", "base"]) == {"main": ("spare",), "boost": ("base",)}


def test_callers_and_what_optillm_calls_back() -> None:
    """A caller without a list may use all; the approach before a model's name is not part of it."""
    settings = lab.read(
        ("openai/base, api_base: 'http://127", "openai/moa-base, api_base: 'http://127")
    ).settings
    assert configured.callers(settings) == (
        ("chat", "client", ("main", "boost")),
        ("back", "optillm", None),
        ("numbers", "metrics", None),
    )
    assert configured.calls_back(settings) == {"boost": ("base",)}


def test_an_optillm_with_another_upstream_calls_nothing_back() -> None:
    """`carrier: off` says that its upstream is not this gateway."""
    settings = lab.read(("default: none}", "default: none, carrier: 'off'}")).settings
    assert configured.calls_back(settings) == {}


def test_backends_are_those_of_the_file_and_those_of_deployments() -> None:
    """A server without an entry is an OptiLLM where one of its names is such a handle."""
    found = configured.backends(
        lab.read().settings, [Deployed("main", "gpu"), Deployed("boost", "lane"), Deployed("spare", "groq")]
    )
    assert [*found] == [
        BackendFacts("gpu", "vllm", queue=20),
        BackendFacts("lane", "optillm"),
        BackendFacts("groq"),
    ]
