"""What an attempt may look like on its way out, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from litellm_homelab.attempts import address
from litellm_homelab.attempts.target import Leaving, Target, carried, wrong


def _target(provider: str, base: str | None, *models: str, **more: Any) -> Target:
    parsed = address.parse(base) if base else None
    bases = (parsed,) if parsed else ()
    return Target("main", provider, bases, frozenset({"sk-own"}), frozenset(models), **more)


def _leaving(url: str, model: object = None, **headers: str) -> Leaving:
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Leaving(url, sent, (model,) if model is not None else ())


LOCAL = _target("openai", "http://127.0.0.1:8000/v1", "qwen3", "openai/qwen3")
URL = "http://127.0.0.1:8000/v1/chat/completions"
OWN = _leaving(URL, "qwen3", authorization="Bearer sk-own")


@pytest.mark.parametrize(
    ("leaving", "problem"),
    [
        (OWN, None),
        (replace(OWN, headers=()), None),
        (replace(OWN, headers=(("authorization", "Bearer None"),)), None),
        (replace(OWN, url="http://127.0.0.1:8001/v1/chat/completions"), "address"),
        (replace(OWN, url="http://evil.test/v1/chat/completions"), "address"),
        (replace(OWN, url="http://127.0.0.1:8000/v1/admin/any"), "path"),
        (replace(OWN, url="http://127.0.0.1:8000/v1/../admin/any"), "address"),
        (replace(OWN, url="http://127.0.0.1:8000/v1/admin/any?x=/chat/completions"), "path"),
        (replace(OWN, url="http://127.0.0.1:8000/v1/chat%2Fcompletions"), "path"),
        (replace(OWN, url="http://127.0.0.1:8000/openai/deployments/qwen3/chat/completions"), "path"),
        (replace(OWN, url=URL + "?provider=evil"), "query"),
        (replace(OWN, url=URL + "?key=sk-other"), "key"),
        (replace(OWN, headers=(("authorization", "Bearer sk-other"),)), "key"),
        (replace(OWN, headers=(("authorization", "Bearer sk-own, Bearer sk-other"),)), "key"),
        (replace(OWN, headers=(*OWN.headers, ("authorization", "Bearer sk-other"))), "key"),
        (replace(OWN, headers=(*OWN.headers, ("x-api-key", "sk-other"))), "key"),
        (replace(OWN, headers=(*OWN.headers, ("openai-organization", "org-other"))), "account"),
        (replace(OWN, named=("deepseek",)), "model"),
        (replace(OWN, named=("qwen3", "deepseek")), "model"),
        (replace(OWN, named=(["qwen3"],)), "model"),
        (replace(OWN, named=("qwen3@homelab.abc",)), "model"),
        (replace(OWN, fields=frozenset({"draft_model"})), "model"),
        (replace(OWN, named=()), None),
    ],
)
def test_what_is_not_the_deployments_own_is_named(leaving: Leaving, problem: str | None) -> None:
    """Address, path, query, key, account and model, each by itself."""
    assert wrong(LOCAL, leaving) == problem


@pytest.mark.parametrize(
    ("provider", "base", "url", "problem"),
    [
        ("azure", "http://a.test", "http://a.test/openai/deployments/m/chat/completions?api-version=1", None),
        ("azure", "http://a.test", "http://a.test/openai/deployments/x/chat/completions", "path"),
        ("azure", "http://a.test", "http://a.test/openai/deployments/m/../x/chat/completions", "address"),
        ("azure", "http://a.test", "http://a.test/openai/responses?api-version=preview", None),
        ("azure", "http://a.test", "http://a.test/openai/v1/responses?api-version=preview", None),
        ("ollama_chat", "http://o.test:11434", "http://o.test:11434/api/chat", None),
        ("ollama", "http://o.test:11434", "http://o.test:11434/api/generate", None),
        ("ollama", "http://o.test:11434", "http://o.test:11434/api/pull", "path"),
        ("ollama", "http://o.test:11434", "http://o.test:11434/api/delete", "path"),
        ("anthropic", "https://api.anthropic.com", "https://api.anthropic.com/v1/messages", None),
        ("groq", "https://g.test/openai/v1", "https://g.test/openai/v1/chat/completions", None),
        ("gemini", "https://g.test", "https://g.test/v1beta/models/m:generateContent?key=sk-own", None),
        ("gemini", "https://g.test", "https://g.test/v1beta/models/x:generateContent", "path"),
        ("gemini", "https://g.test", "https://g.test/v1beta/models/m:streamGenerateContent?alt=sse", None),
        ("gemini", "https://g.test/x", "https://g.test/x:generateContent", None),
        ("openrouter", "https://o.test/api/v1", "https://o.test/api/v1/chat/completions", None),
        ("openrouter", "https://o.test/api/v1", "https://o.test/api/v1/credits", "path"),
        ("hosted_vllm", "http://v.test/v1", "http://v.test/v1/rerank", None),
        ("hosted_vllm", "http://v.test/v1", "http://v.test/v1/load_lora_adapter", "path"),
        ("hosted_vllm", "http://v.test/main/v1", "http://v.test/back/v1/chat/completions", "path"),
        ("cohere", "https://c.test/v1/rerank", "https://c.test/v1/rerank", None),
        ("cohere", "https://c.test/v1/rerank", "https://c.test/v2/rerank", None),
        ("replicate", "https://r.test/v1", "https://r.test/v1/any/thing?x=1", None),
        ("replicate", "https://r.test/v1", "https://s.test/v1/any/thing", "address"),
        ("unheard-of", None, "https://somewhere.test/x", None),
        ("unheard-of", None, "http://somewhere.test/x", "address"),
    ],
)
def test_each_providers_own_paths_pass(
    provider: str, base: str | None, url: str, problem: str | None
) -> None:
    """Known APIs are held to their endpoints and the deployment's model; others to the address."""
    assert wrong(_target(provider, base, "m"), _leaving(url)) == problem


def test_a_token_stands_behind_the_model_of_optillm_only() -> None:
    """A lineage token is taken off before the model is compared, where the deployment is OptiLLM."""
    marked = replace(LOCAL, marked=True)
    assert wrong(marked, replace(OWN, named=("qwen3@homelab.abc",))) is None
    assert wrong(marked, replace(OWN, named=("deepseek@homelab.abc",))) == "model"


def test_a_provider_that_makes_its_own_tokens_may_send_any() -> None:
    """Of OAuth tokens and signatures nobody here knows which are right."""
    assert (
        wrong(replace(LOCAL, any_key=True), replace(OWN, headers=(("authorization", "Bearer ya29"),))) is None
    )


@pytest.mark.parametrize(
    ("attempt", "problem"),
    [
        ({"model": "openai/qwen3", "api_base": "http://127.0.0.1:8000/v1", "api_key": "sk-own"}, None),
        ({"model": "qwen3", "custom_llm_provider": "openai"}, None),
        ({"model": "qwen3", "custom_llm_provider": "text-completion-openai"}, None),
        ({"api_base": "http://127.0.0.1:8000/v1/"}, None),
        ({"model": "openai/other"}, "model"),
        ({"model": ["qwen3"]}, "model"),
        ({"api_base": "http://evil.test/v1"}, "api_base"),
        ({"base_url": "http://evil.test/v1"}, "base_url"),
        ({"api_base": 7}, "api_base"),
        ({"api_key": "sk-other"}, "api_key"),
        ({"custom_llm_provider": "azure"}, "custom_llm_provider"),
        ({"deployment_id": "../../admin"}, "deployment_id"),
        ({"organization": "org-other"}, "organization"),
    ],
)
def test_an_attempts_arguments_are_the_deployments(
    attempt: Mapping[str, object], problem: str | None
) -> None:
    """What the deployment hook sees is decided on before LiteLLM makes a request of it."""
    own = {"model": "openai/qwen3", "api_base": "http://127.0.0.1:8000/v1", "api_key": "sk-own"}
    assert carried(LOCAL, attempt, own) == problem
