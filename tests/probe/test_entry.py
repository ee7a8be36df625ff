"""The entry to paste: valid YAML that `check` takes, in the place where it belongs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from litellm_homelab.check.run import CheckRequest, check_file
from litellm_homelab.probe import entry
from litellm_homelab.probe.findings import ProbeFinding, ProbeVerdict
from litellm_homelab.probe.kinds import ProbedServer
from litellm_homelab.probe.run import ProbeReport
from litellm_homelab.probe.target import target

WHERE = target("http://192.0.2.5:8000")
SERVER = ProbedServer("vllm", "", ("org/Tide-7B",), (), {"org/Tide-7B": 4096})


def report(model: str = "org/Tide-7B", kind: str = "vllm", **verdicts: str) -> ProbeReport:
    """A report with some verdicts, names written with `__` for a space."""
    found = (ProbeFinding(name.replace("__", " "), ProbeVerdict(one), "") for name, one in verdicts.items())
    return ProbeReport(replace(SERVER, kind=kind), model, tuple(found))


def test_an_entry() -> None:
    """Address, a reference to the key, what is rejected, and what was seen to work."""
    found = report(
        top_k="rejected",
        max_tokens="rejected",
        tools="accepted",
        tool_choice="not known",
        response_format__json_object="accepted",
        response_format__json_schema="rejected",
    )
    assert yaml.safe_load(entry.written(found, WHERE, "GPU_KEY")) == {
        "model_list": [
            {
                "model_name": "tide-7b",
                "litellm_params": {
                    "model": "lm_studio/org/Tide-7B",
                    "api_base": "http://192.0.2.5:8000/v1",
                    "api_key": "os.environ/GPU_KEY",
                    "use_chat_completions_api": True,
                    "additional_drop_params": ["top_k"],
                },
                "model_info": {
                    "mode": "chat",
                    "max_input_tokens": 4096,
                    "supports_function_calling": True,
                    "supports_response_schema": False,
                },
            }
        ]
    }


MODELS = ["/models/mlx-x y", "qwen2.5:7b", "a: b", "- x", "null", "5", "é", 'q"u\\o', "x#y", "{a}", "*a", "&"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["openai", "llama.cpp", "litellm"])
def test_every_name_is_written_so_that_it_is_read(model: str, kind: str) -> None:
    """As it is; the comments are YAML of `homelab:` with a kind that it knows."""
    text = entry.written(report(model, kind), WHERE, "")
    (found,) = yaml.safe_load(text)["model_list"]
    assert found["litellm_params"]["model"] == f"lm_studio/{model}"
    comments = [line.removeprefix("# ").partition(": ") for line in text.splitlines() if line[0] == "#"]
    handles, backends = (yaml.safe_load(one[2]) for one in comments)
    assert handles == [found["model_name"]] == [*backends]
    assert backends[handles[0]]["kind"] == "openai"


@pytest.mark.parametrize("kind", ["vllm", "mlx", "ollama", "llama-swap", "lm-studio", "openai"])
def test_a_router_yaml_made_of_it_has_no_problem(kind: str, tmp_path: Path) -> None:
    """With the comments put where they say."""
    text = entry.written(report(kind=kind, top_k="rejected"), WHERE, "")
    handles, backends = (
        line.partition(": ")[2] for line in text.splitlines() if line.startswith("# homelab.")
    )
    path = tmp_path / "router.yaml"
    path.write_text(
        f"homelab:\n  showroom: {{handles: {handles}}}\n  backends: {backends}\n{text}"
        "litellm_settings: {callbacks: [litellm_homelab.plugin]}\n"
        "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY, custom_auth: litellm_homelab.gate}\n",
        encoding="utf-8",
    )
    env = tmp_path / "env"
    env.write_text("LITELLM_MASTER_KEY=sk-of-the-test-0123456789-abcdefgh\n", encoding="utf-8")
    assert [one for one in check_file(CheckRequest(path, env)).findings if one.severity == "error"] == []


def test_an_optillm_is_not_asked_twice() -> None:
    """As in the shipped file."""
    (found,) = yaml.safe_load(entry.written(report(kind="optillm"), WHERE, ""))["model_list"]
    assert (found["litellm_params"]["num_retries"], found["litellm_params"]["timeout"]) == (0, 1800)
