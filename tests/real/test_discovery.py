"""Models that a server lists become handles of a real gateway, and go when it does not list them any more."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from tests.config import shipped
from tests.listing_servers import LlamaSwap, Ollama
from tests.real import gateway as real
from tests.real.gateway import Gateway
from tests.real.upstreams import listening_to_all

pytestmark = pytest.mark.real

PATIENCE = 120
PRESENCE = {"probe_seconds": 1, "timeout_seconds": 1}


def document(ollama: str, swap: str) -> dict[str, Any]:
    """The shipped file with an Ollama and a llama-swap whose models become handles."""
    changed = copy.deepcopy(shipped.ROUTER)
    homelab = changed["homelab"]
    homelab["backends"] = {
        "house-ollama": {"at": [ollama], "kind": "ollama", "presence": PRESENCE},
        "house-swap": {"at": [swap], "kind": "llama-swap", "presence": PRESENCE},
    }
    homelab["showroom"]["discover"] = {
        "house-ollama": {"group": "ollama/*", "only": ["qwen*", "llama3*"], "except": ["*-base"]},
        "house-swap": {"group": "swap/*"},
    }
    changed["model_list"] += [
        {"model_name": "ollama/*", "litellm_params": {"model": "ollama_chat/*", "api_base": ollama}},
        {
            "model_name": "swap/*",
            "litellm_params": {"model": "openai/*", "api_base": f"{swap}/v1", "api_key": "none"},
        },
    ]
    changed["router_settings"]["disable_cooldowns"] = True
    return changed


@pytest.fixture(scope="module")
def ollama() -> Ollama:
    """The house's Ollama."""
    return Ollama("llama3.2:3b")


@pytest.fixture(scope="module")
def swap() -> LlamaSwap:
    """The house's llama-swap."""
    return LlamaSwap("coder", "main")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, ollama: Ollama, swap: LlamaSwap) -> Iterator[Gateway]:
    """The gateway on `document`."""
    folder = tmp_path_factory.mktemp("discovery")
    shutil.copy(shipped.FOLDER / "registry.json", folder)
    with listening_to_all({"ollama": ollama.app, "swap": swap.app}) as urls:
        config = folder / "router.yaml"
        config.write_text(yaml.safe_dump(document(**urls), sort_keys=False), encoding="utf-8")
        with real.gateway(config) as running:
            yield running


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.2)


def listed(gateway: Gateway) -> list[str]:
    """The names that a client sees."""
    return [one["id"] for one in gateway.client.get("/v1/models").json()["data"]]


def outcome(gateway: Gateway, name: str) -> tuple[int, str]:
    """The status of a request, and the type of its error."""
    answer = gateway.chat(name)
    return answer.status_code, answer.json().get("error", {}).get("type", "")


def test_a_pulled_model_becomes_a_handle_and_goes_when_it_is_removed(
    gateway: Gateway, ollama: Ollama
) -> None:
    """It is listed and answers while it is there; before and after it is as unknown as any other name."""
    name = "ollama/qwen3:4b"
    until(lambda: outcome(gateway, name) == (404, "model_not_found"))
    unknown = gateway.chat(name).json()["error"]["message"].replace(name, "NAME")
    assert gateway.chat("no-such-name").json()["error"]["message"].replace("no-such-name", "NAME") == unknown
    ollama.pull("qwen3:4b")
    until(lambda: name in listed(gateway))
    until(lambda: outcome(gateway, name)[0] == 200)
    answer = gateway.chat(name)
    assert (answer.json()["model"], ollama.bodies[-1]["model"]) == (name, "qwen3:4b")
    assert gateway.client.get(f"/v1/models/{name}").json()["id"] == name
    ollama.rm("qwen3:4b")
    until(lambda: name not in listed(gateway))
    until(lambda: outcome(gateway, name) == (404, "model_not_found"))


def test_only_and_except_decide(gateway: Gateway, ollama: Ollama) -> None:
    """A model outside of `only`, or in `except`, does not become a handle."""
    names = ("mistral:7b", "qwen-base:7b", "qwen2.5:1b")
    for one in names:
        ollama.pull(one)
    until(lambda: "ollama/qwen2.5:1b" in listed(gateway))
    assert not {"ollama/mistral:7b", "ollama/qwen-base:7b"} & set(listed(gateway))
    assert outcome(gateway, "ollama/mistral:7b") == (404, "model_not_found")
    assert outcome(gateway, "ollama/qwen-base:7b") == (404, "model_not_found")
    for one in names:
        ollama.rm(one)


def test_a_name_reaches_its_own_backend_only(gateway: Gateway, ollama: Ollama, swap: LlamaSwap) -> None:
    """The same model below another backend's group is unknown; a handle of the same name keeps its server."""
    until(lambda: outcome(gateway, "swap/coder")[0] == 200)
    assert outcome(gateway, "ollama/coder") == (404, "model_not_found")
    assert outcome(gateway, "swap/llama3.2:3b") == (404, "model_not_found")
    before = len(ollama.bodies), len(swap.bodies)
    assert gateway.chat("main").status_code == 200
    assert gateway.chat("swap/main").status_code == 200
    assert gateway.chat("ollama/llama3.2:3b").status_code == 200
    assert (len(ollama.bodies), len(swap.bodies)) == (before[0] + 1, before[1] + 1)
