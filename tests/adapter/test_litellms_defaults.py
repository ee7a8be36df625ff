"""What LiteLLM does where router.yaml says too little: the facts that the start's checks rest on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import litellm
import pytest
import yaml
from litellm.proxy.proxy_server import ProxyConfig
from litellm.types.router import GenericLiteLLMParams
from litellm.types.utils import all_litellm_params

from litellm_homelab.config.address_checks import misspelt
from litellm_homelab.config.deployments import upstream_name
from litellm_homelab.config.key_variables import OPENAI, OWN, SEVERAL, variables
from litellm_homelab.config.references import late, resolve
from tests.adapter.recording_server import Recording, recording_server

PROVIDERS = (
    *("openai", "mistral", "groq", "openrouter", "azure", "anthropic", "gemini", "ollama", "together_ai"),
    *("custom_openai", "hosted_vllm", "lm_studio", "fireworks_ai"),
)
PLANTED = re.compile(r"planted-([A-Z0-9_]+)")


@pytest.fixture(scope="module")
def server() -> Iterator[Recording]:
    """One server for all."""
    with recording_server() as running:
        yield running


@pytest.fixture
def _planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable with a key that this package knows, and each provider's `<PROVIDER>_API_KEY`."""
    names = {OPENAI, *(name for several in SEVERAL.values() for name in several)}
    names |= {f"{provider.upper().replace('-', '_')}_API_KEY" for provider in PROVIDERS}
    for name in names:
        monkeypatch.setenv(name, f"planted-{name}")


async def keys_sent(provider: str, server: Recording) -> set[str]:
    """The variables whose keys arrive, one after the other: each that was sent is taken away."""
    found: set[str] = set()
    while True:
        server.requests.clear()
        common = {"model": f"{provider}/some-model", "api_base": server.url, "timeout": 5, "max_retries": 0}
        with suppress(Exception):
            await litellm.acompletion(messages=[{"role": "user", "content": "x"}], **common)
        with suppress(Exception):
            await litellm.aembedding(input=["x"], **common)
        new = {name for text in server.requests for name in PLANTED.findall(text)} & os.environ.keys()
        if not new:
            return found
        found |= new
        for name in new:
            del os.environ[name]


@pytest.mark.usefixtures("_planted")
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_deployment_without_a_key_sends_one_of_the_environment(
    provider: str, server: Recording
) -> None:
    """Which one is in `key_variables.py`; a server of one's own gets its own key and no cloud's."""
    own = {f"{provider.upper()}_API_KEY"} if provider in OWN else set()
    assert await keys_sent(provider, server) - own <= set(variables(provider, "chat"))


@pytest.mark.usefixtures("_planted")
@pytest.mark.parametrize("provider", ["openai", "mistral", "ollama"])
async def test_that_key_is_a_clouds(provider: str, server: Recording) -> None:
    """The harm is real: without `api_key` a local address is sent the key of a cloud; `none` prevents it."""
    message = [{"role": "user", "content": "x"}]
    common = {"model": f"{provider}/some-model", "api_base": server.url, "timeout": 5, "max_retries": 0}
    for key, planted in ((None, True), ("none", False)):
        server.requests.clear()
        with suppress(Exception):
            await litellm.acompletion(messages=message, api_key=key, **common)
        assert server.requests
        assert any(PLANTED.search(text) for text in server.requests) is planted


async def test_environment_variables_of_the_file_come_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM resolves a reference before it sets what the file itself says, and goes on without."""
    monkeypatch.delenv("LATE_API_BASE", raising=False)
    document = {
        "environment_variables": {"LATE_API_BASE": "http://127.0.0.1:1/v1"},
        "model_list": [
            {
                "model_name": "main",
                "litellm_params": {"model": "openai/main", "api_base": "os.environ/LATE_API_BASE"},
            }
        ],
    }
    (tmp_path / "router.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    read = await ProxyConfig().get_config(str(tmp_path / "router.yaml"))
    assert read["model_list"][0]["litellm_params"]["api_base"] is None
    assert late(document["environment_variables"]) == {"LATE_API_BASE"}
    assert ProxyConfig._BLOCKED_ENV_KEYS.isdisjoint(late(dict.fromkeys(ProxyConfig._BLOCKED_ENV_KEYS, "x")))


@pytest.mark.parametrize("route", ["embedding", "responses", "image_generation"])
async def test_base_url_is_ignored_on_some_routes(
    route: str, server: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `base_url` alone the request goes to the provider's default address, here a second server."""
    asked: dict[str, dict[str, Any]] = {
        "embedding": {"input": ["x"]},
        "responses": {"input": "x"},
        "image_generation": {"prompt": "x"},
    }
    with recording_server() as default:
        monkeypatch.setenv("OPENAI_BASE_URL", default.url)
        monkeypatch.setenv("OPENAI_API_BASE", default.url)
        params = {"model": "openai/x", "api_key": "none", "base_url": server.url, "max_retries": 0}
        router = litellm.Router([{"model_name": "main", "litellm_params": params}], num_retries=0)
        server.requests.clear()
        with suppress(Exception):
            await getattr(router, f"a{route}")(model="main", **asked[route])
        assert (server.requests, len(default.requests)) == ([], 1)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("openai/main", ""),
        ("plansearch-openai/deep", "openai"),
        ("openai/deep", "openai"),
        ("openai/deep", "lm_studio"),
        ("org/name", "hosted_vllm"),
        ("main", "openai"),
    ],
)
def test_the_upstream_is_asked_for_what_we_think(model: str, provider: str) -> None:
    """`custom_llm_provider` is put in front of a model that does not start with it, and taken off again."""
    found = litellm.get_llm_provider(
        model, custom_llm_provider=provider or None, api_base="http://127.0.0.1:1"
    )
    assert found[0] == upstream_name(model, provider)


def test_no_parameter_of_litellms_is_taken_for_a_slip() -> None:
    """What LiteLLM knows is never `did you mean api_base?`."""
    known = {*GenericLiteLLMParams.model_fields, *all_litellm_params}
    assert {name for name in known if misspelt(name, {"api_base": "x", "api_key": "x"})} == set()


@pytest.mark.parametrize(
    "value", ["os.environ.X", "${X}", "$X", " os.environ/X", "http://os.environ/X:1", "env/X"]
)
def test_litellm_resolves_whole_references_alone(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other spelling reaches the provider as it is written."""
    monkeypatch.setenv("X", "value")
    assert ProxyConfig()._check_for_os_environ_vars({"api_base": value}) == {"api_base": value}
    assert resolve(value, {"X": "value"}) == value
