"""Which backend a deployment belongs to, over stock LiteLLM's router."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.adapter.backends.directory import Directory
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.backends.rule import Backends
from litellm_homelab.config.sections import BackendSection


class Router:
    """What LiteLLM's router says of its deployments."""

    def __init__(self, *params: dict[str, Any]) -> None:
        self.model_list = [
            {"model_name": "main", "litellm_params": one, "model_info": {"id": str(number)}}
            for number, one in enumerate(params)
        ]

    def get_deployment(self, model_id: str) -> Any:
        """One of them by its id."""
        from litellm.types.router import Deployment

        return Deployment(**self.model_list[int(model_id)])


def directory(**params: Any) -> Directory:
    """The directory of one deployment and one configured backend."""
    deployments = Deployments(lambda: Router(params))
    sections = {"gpu-box": BackendSection(at=["http://127.0.0.1:8000"])}
    return Directory(Backends(sections), Targets(deployments, ()), deployments)


@pytest.mark.parametrize(
    ("params", "backend", "base"),
    [
        pytest.param(
            {"model": "openai/m", "api_base": "http://localhost:8000/v1"},
            "gpu-box",
            "http://localhost:8000/v1",
            id="configured",
        ),
        pytest.param(
            {"model": "openai/m", "api_base": "http://127.0.0.1:9000/v1"},
            "http://loopback:9000",
            "http://127.0.0.1:9000/v1",
            id="its own",
        ),
        pytest.param(
            {"model": "ollama_chat/m"},
            "http://loopback:11434",
            "http://localhost:11434",
            id="Ollama's default",
        ),
        pytest.param({"model": "groq/m"}, "groq", "https://api.groq.com:443/openai/v1", id="a cloud"),
    ],
)
def test_a_deployment_belongs_to_one_backend(params: dict[str, Any], backend: str, base: str) -> None:
    """By its address, else by its provider."""
    found = directory(**params)
    assert (found.of("0", "main"), found.base("0")) == (backend, base)


def test_the_address_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM sends there, so the probe asks there."""
    monkeypatch.setenv("OLLAMA_API_BASE", "http://192.168.0.7:11434")
    found = directory(model="ollama_chat/m")
    assert (found.base("0"), found.of("0", "main")) == (
        "http://192.168.0.7:11434",
        "http://192.168.0.7:11434",
    )


def test_two_accounts_of_a_provider_are_two_backends() -> None:
    """Their limits are their own."""
    one, other = (directory(model="groq/m", api_key=f"key-of-account-{number}") for number in (1, 2))
    assert one.of("0", "main") != other.of("0", "main")
    assert "key-of-account" not in one.of("0", "main")


def test_every_deployment_is_there_with_its_group() -> None:
    """And every spelling of its model."""
    found = directory(model="ollama_chat/qwen3:8b")
    assert [*found.all()] == [("main", "0")]
    assert "qwen3:8b" in found.models("0")


def test_a_key_stays_where_its_address_is_not_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM sends to one of two variables; a probe does not take the key to the other server."""
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:1/v1")
    assert directory(model="openai/m", api_key="own").key("0") == "own"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:2/v1")
    assert directory(model="openai/m", api_key="own").key("0") == ""
    assert directory(model="openai/m", api_key="own", api_base="http://127.0.0.1:3/v1").key("0") == "own"
    assert directory(model="openai/m", api_base="http://127.0.0.1:3/v1").key("0") == ""
