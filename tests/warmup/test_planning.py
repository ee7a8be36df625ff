"""Which requests load what a router.yaml names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.config.settings import Settings
from litellm_homelab.drawing import reading
from litellm_homelab.probe.target import target
from litellm_homelab.warmup import planning
from litellm_homelab.warmup.planning import WarmupPlan

GATEWAY = target("http://127.0.0.1:4000", "sk-of-the-test")
FILE = """\
homelab:
  showroom: {handles: [main, fast, embed, voice, cloud, boost, deep-boost], hidden: [spare], internal: [base]}
  callers: {optillm: {key: k8-of-optillm-0123456789abcdef, role: optillm}}
  optillm:
    boost: {approaches: [none, moa], default: none}
    deep-boost: {approaches: [moa], default: moa}
  secret: s8-of-the-test-0123456789abcdefgh
litellm_settings: {callbacks: [litellm_homelab.plugin]}
general_settings: {master_key: sk-of-the-test-0123456789-abcdefgh, custom_auth: litellm_homelab.gate}
"""
MODELS = [
    ("main", "lm_studio/tide", "http://127.0.0.1:8003/v1", "chat"),
    ("fast", "lm_studio/sea", "http://localhost:8003", "chat"),
    ("base", "lm_studio/sea", "http://127.0.0.1:8000/v1", "chat"),
    ("spare", "lm_studio/sea", "http://127.0.0.1:8003/v1", "chat"),
    ("embed", "openai/nomic", "http://127.0.0.1:8001/v1", "embedding"),
    ("voice", "openai/whisper", "http://127.0.0.1:8002/v1", "audio_transcription"),
    ("cloud", "groq/llama", "", "chat"),
    ("boost", "lm_studio/base", "http://127.0.0.1:4020/v1", "chat"),
    ("deep-boost", "lm_studio/base", "http://127.0.0.1:4020/v1", "chat"),
]
"""Group, model, address and mode; `fast` is on the server of `main`."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a file with a bit of everything."""
    path = tmp_path / "router.yaml"
    listed = [_entry(*one) for one in MODELS]
    path.write_text(FILE + json.dumps({"model_list": listed})[1:-1] + "\n", encoding="utf-8")
    found = reading.read(path, {})
    assert found is not None
    return found.settings


def _entry(group: str, model: str, base: str, mode: str) -> dict[str, Any]:
    key = "gate-of-the-test" if ":4020" in base else "none"
    params = {"model": model, "api_key": key, **({"api_base": base} if base else {})}
    return {"model_name": group, "litellm_params": params, "model_info": {"mode": mode}}


def names(plan: WarmupPlan) -> list[str]:
    """Of its requests."""
    return [one.name for one in plan.steps]


def test_local_handles_one_for_each_server(settings: Settings) -> None:
    """What is left out has its reason; OptiLLM is asked for no approach."""
    plan = planning.planned(settings, GATEWAY, [], with_all=False, with_router=False)
    assert names(plan) == ["main", "embed", "boost"]
    assert [one.partition(":")[0] for one in plan.left_out] == ["fast", "voice", "cloud", "deep-boost"]
    assert [one.path for one in plan.steps] == [
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/chat/completions",
    ]
    assert {one.where for one in plan.steps} == {GATEWAY}
    assert plan.steps[2].body["optillm_approach"] == "none"
    assert "optillm_approach" not in plan.steps[0].body


def test_all_and_named_ones(settings: Settings) -> None:
    """What is named is asked for wherever it is."""
    every = planning.planned(settings, GATEWAY, [], with_all=True, with_router=False)
    assert names(every) == ["main", "fast", "embed", "boost"]
    named = planning.planned(settings, GATEWAY, ["cloud", "spare", "main"], with_all=False, with_router=False)
    assert names(named) == ["cloud", "spare", "main"]
    unusual = planning.planned(settings, GATEWAY, ["voice", "deep-boost"], with_all=False, with_router=False)
    assert (names(unusual), len(unusual.left_out)) == ([], 2)


def test_the_classifier_is_loaded_by_optillm_itself(settings: Settings) -> None:
    """Once for each OptiLLM, with the key and the model of its deployment."""
    plan = planning.planned(settings, GATEWAY, ["boost"], with_all=False, with_router=True)
    assert names(plan) == ["boost", "base (router)"]
    last = plan.steps[-1]
    assert (last.where.root, last.where.key) == ("http://127.0.0.1:4020", "gate-of-the-test")
    assert (last.body["model"], last.body["optillm_approach"]) == ("base", "router")


def test_without_a_file() -> None:
    """One request for each model, and one more for the classifier."""
    plan = planning.for_models(["base"], GATEWAY, with_router=True)
    assert names(plan) == ["base", "base (router)"]
    assert "gate" not in repr(plan.steps)
    assert planning.for_models([], GATEWAY, with_router=True).steps == ()


@pytest.mark.parametrize(
    ("port", "address"), [("", "4000"), ("4100", "4100"), ("x", "4000"), ("1@elsewhere", "4000")]
)
def test_where_the_gateway_is(port: str, address: str) -> None:
    """On this machine, and nowhere else."""
    assert planning.gateway_address({"PORT": port}) == f"http://127.0.0.1:{address}"
