"""Which kind of server it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_homelab.probe.asking import ProbeReply
from litellm_homelab.probe.kinds import PATHS, server_of


def replies(server: str = "uvicorn", **found: Any) -> dict[str, ProbeReply]:
    """Answers by path, written with `_` for `/`; the others are 404."""
    documents = {f"/{name.replace('_', '/')}": value for name, value in found.items()}
    return {
        path: ProbeReply(200, json.dumps(documents[path]), {"server": server})
        if path in documents
        else ProbeReply(404, "{}", {"server": server})
        for path in PATHS
    }


def models(**fields: Any) -> dict[str, Any]:
    """A list of one model."""
    return {"data": [{"id": "tide", **fields}]}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        pytest.param(replies(v1_models=models(owned_by="vllm")), "vllm", id="vllm"),
        pytest.param(replies(v1_models=models(owned_by="llamacpp")), "llama.cpp", id="llama.cpp"),
        pytest.param(replies("llama.cpp", v1_models=models()), "llama.cpp", id="llama.cpp, by header"),
        pytest.param(replies(v1_models=models(), api_v0_models=models()), "lm-studio", id="lm-studio"),
        pytest.param(replies(api_version={"version": "1"}, api_ps={"models": []}), "ollama", id="ollama"),
        pytest.param(replies(v1_models=models(owned_by="llama-swap")), "llama-swap", id="llama-swap"),
        pytest.param(replies("Werkzeug/3", health={"status": "ok"}), "optillm", id="optillm"),
        pytest.param(replies("Werkzeug/3", v1_models=models()), "openai", id="another Werkzeug"),
        pytest.param(replies("BaseHTTP/0.6 Python/3", health={"status": "ok"}), "mlx", id="mlx"),
        pytest.param({"/v1/models": ProbeReply(200, "{}", {"x-litellm-version": "1"})}, "litellm", id="us"),
        pytest.param(replies(v1_models=models()), "openai", id="nothing says more"),
        pytest.param({"/v1/models": ProbeReply(problem="silent")}, "openai", id="silent"),
        pytest.param(replies(v1_models=[1], health="ok", api_ps=5), "openai", id="other shapes"),
    ],
)
def test_the_kind(found: dict[str, ProbeReply], kind: str) -> None:
    """By what only this kind says."""
    assert server_of(found).kind == kind


def test_the_model_to_ask() -> None:
    """One that chats, and one in memory before one that would be loaded."""
    rows = {"data": [{"id": "nomic-embed"}, {"id": "big"}, {"id": "small"}]}
    assert server_of(replies(v1_models=rows)).first_model() == "big"
    loaded = {"models": [{"name": "small"}]}
    assert server_of(replies(v1_models=rows, api_ps=loaded)).first_model() == "small"
    studio = {"data": [{"id": "small", "state": "loaded"}, {"id": "big", "state": "not-loaded"}]}
    assert server_of(replies(v1_models=rows, api_v0_models=studio)).first_model() == "small"
    assert server_of(replies()).first_model() == ""


def test_how_much_a_model_reads() -> None:
    """vLLM's length, and llama.cpp's below `meta`."""
    assert server_of(replies(v1_models=models(max_model_len=4096))).context == {"tide": 4096}
    assert server_of(replies(v1_models=models(meta={"n_ctx_train": 8}))).context == {"tide": 8}
    assert server_of(replies(v1_models=models(max_model_len="x"))).context == {}
