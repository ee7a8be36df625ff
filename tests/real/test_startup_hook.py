"""Both ways to load the package, on a real LiteLLM: the lines of router.yaml, a startup hook, and both."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from litellm_homelab.testing.upstream import Upstreams
from tests.adapter.lane import document, group
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

PLUGIN, HOOK = "litellm_homelab.plugin", "litellm_homelab:startup"
WAYS: dict[str, tuple[Any, str | None, str]] = {
    "lines": (["prometheus", PLUGIN], "litellm_homelab.gate", ""),
    "startup hook": (["prometheus"], None, HOOK),
    "both": ([PLUGIN, "prometheus"], "litellm_homelab.gate", HOOK),
    "a list without it": (["prometheus"], "litellm_homelab.gate", f"os:getpid,{HOOK}"),
}
"""The list of callbacks, `custom_auth`, and LITELLM_WORKER_STARTUP_HOOKS."""
APP = "sk-the-key-of-the-app"


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway, its upstream, and its master key."""

    client: httpx.Client
    upstreams: Upstreams

    def chat(self, model: str, key: str) -> httpx.Response:
        """One chat request."""
        body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
        return self.client.post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {key}"})

    def count(self, name: str) -> float:
        """The sum of a counter's series."""
        lines = self.client.get("/metrics/").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))


@pytest.fixture(scope="module", params=WAYS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A LiteLLM to which the package was named in one of the ways."""
    callbacks, auth, hook = WAYS[request.param]
    upstreams, port, key = Upstreams(), free_port(), f"sk-{secrets.token_urlsafe(16)}"
    with listening(upstreams) as base:
        made = document(
            [group("main", api_base=f"{base}{upstreams.path('main')}/v1"), group("spare")],
            {},
            internal=["spare"],
            callers={"app": {"key": APP, "handles": ["main"]}},
        )
        made["litellm_settings"]["callbacks"] = callbacks
        made["general_settings"]["custom_auth"] = auth
        path: Path = tmp_path_factory.mktemp("config") / "router.yaml"
        path.write_text(yaml.safe_dump(made), encoding="utf-8")
        environ = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        environ |= {"LITELLM_WORKER_STARTUP_HOOKS": hook} if hook else {}
        headers = {"Authorization": f"Bearer {key}"}
        with (
            litellm(path, port, environ),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        ):
            yield Running(client, upstreams)


def test_the_rules_hold_and_each_hook_runs_once(running: Running) -> None:
    """A caller's key is known, a backroom name is refused, and a request is counted once."""
    attempts, refusals = running.count("homelab_attempts_total"), running.count("homelab_refusals_total")
    served, refused = running.chat("main", APP), running.chat("spare", APP)
    assert (served.status_code, served.json()["model"]) == (200, "main"), served.text
    assert (refused.status_code, refused.json()["error"]["type"]) == (404, "model_not_found"), refused.text
    assert running.chat("main", "sk-unknown").status_code == 401
    assert [call.backend for call in running.upstreams.recorder.requests()] == ["main"]
    assert running.count("homelab_attempts_total") == attempts + 1
    assert running.count("homelab_refusals_total") == refusals + 2
    assert running.client.get("/v1/models").json()["data"][0]["id"] == "main"
