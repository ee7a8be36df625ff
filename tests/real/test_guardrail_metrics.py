"""`PromptTags` in LiteLLM's own metrics and logs, on a real LiteLLM process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import versions
from tests.access.asking import ROUTER
from tests.real import noting
from tests.real.gated import Gated, gated

pytestmark = pytest.mark.real

TAG = "<optillm_approach>mcts</optillm_approach>"
BODIES: dict[str, Any] = {
    "/v1/chat/completions": lambda text: {"messages": [{"role": "user", "content": text}]},
    "/v1/completions": lambda text: {"prompt": text},
    "/v1/responses": lambda text: {"input": text},
    "/v1/messages": lambda text: {"messages": [{"role": "user", "content": text}], "max_tokens": 9},
    "/v1beta/models/main:generateContent": lambda text: {"contents": [{"parts": [{"text": text}]}]},
}
PATIENCE = 30
"""Seconds until a request is in LiteLLM's log, which it writes after the answer."""


@dataclass(frozen=True, slots=True)
class Rig:
    """A gateway with the guardrail on every request, and what LiteLLM logged."""

    gateway: Gated
    notes: Path

    def counted(self, metric: str) -> dict[str, float]:
        """The samples of a metric of LiteLLM's for our guardrail, by status (or kind of error)."""
        text = self.gateway.ask("GET", "/metrics/", "metrics").text
        samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
        return {
            f"{one.labels.get('status', one.labels.get('error_type'))} {one.labels['hook_type']}": one.value
            for one in samples
            if one.name == metric and one.labels["guardrail_name"] == "prompt-tags"
        }

    def noted(self, number: int) -> list[dict[str, Any]]:
        """The first lines of the log, once there are as many."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            lines = self.notes.read_text(encoding="utf-8").splitlines()
            if len(lines) >= number:
                break
            time.sleep(0.05)
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One LiteLLM process."""
    folder = tmp_path_factory.mktemp("guardrail")
    document = yaml.safe_load(ROUTER.read_text(encoding="utf-8"))
    document["guardrails"] = [
        {
            "guardrail_name": "prompt-tags",
            "litellm_params": {
                "guardrail": "litellm_homelab.guardrails.PromptTags",
                "mode": "pre_call",
                "default_on": True,
            },
        }
    ]
    document["litellm_settings"]["callbacks"].append("tests.real.noting.notes")
    (folder / "router.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / "notes").touch()
    with gated(folder / "router.yaml", environ={noting.FILE: str(folder / "notes")}) as running:
        yield Rig(running, folder / "notes")


@pytest.mark.parametrize("path", BODIES)
def test_each_run_is_counted_and_logged(rig: Rig, path: str) -> None:
    """A request that passes and one that is refused count once each, and are logged with the guardrail."""
    before = rig.counted("litellm_guardrail_requests_total")
    rig.notes.write_text("")
    for text, status in (("hello", 200), (TAG, 400)):
        answer = rig.gateway.ask("POST", path, "client", json={"model": "main", **BODIES[path](text)})
        assert (answer.status, answer.sent_to) == (status, ["main"] if status == 200 else [])

    after = rig.counted("litellm_guardrail_requests_total")
    assert {name: after[name] - before.get(name, 0) for name in after} == {
        "success pre_call": 1,
        "error pre_call": 1,
    }
    logged = rig.noted(2)
    refused = ("prompt-tags", "pre_call", "guardrail_intervened")
    assert {line["outcome"]: [_said(one) for one in line["guardrails"] or ()] for line in logged} == {
        "served": [("prompt-tags", "pre_call", "success")],
        "failed": [] if path in versions.LOGS_NO_GUARDRAIL else [refused],
    }
    assert TAG not in json.dumps(logged)


def _said(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["guardrail_name"], entry["guardrail_mode"], entry["guardrail_status"]


def test_its_refusals_and_its_time_are_in_the_metrics_too(rig: Rig) -> None:
    """LiteLLM counts a refusal as an error of kind `Refused`, and has a histogram of the time it takes."""
    rig.gateway.ask("POST", "/v1/chat/completions", "client", json={"model": "main", **_chat(TAG)})
    assert rig.counted("litellm_guardrail_errors_total")["Refused pre_call"] > 0
    assert rig.counted("litellm_guardrail_latency_seconds_count")["error pre_call"] > 0


def _chat(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}
