"""LiteLLM's MCP gateway on a real process: closed until `homelab.gate.open` opens it, then it works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.real.gateway import free_port, litellm
from tests.real.mcp_server import McpServer
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

MASTER, APP = "sk-mcp-master-key", "sk-mcp-app-key-1"
OPENED = ["/mcp", "/mcp-rest/tools/*"]
"""As docs/configuration.md has it."""
CALL = {"name": "home-lights", "arguments": {"room": "kitchen"}}


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway before an MCP server."""

    client: httpx.Client
    server: McpServer

    def rpc(self, method: str, params: dict[str, Any], key: str = APP, path: str = "/mcp") -> httpx.Response:
        """Ask as an MCP client does that keeps no session."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json, text/event-stream"}
        return self.client.post(path, json=body, headers=headers, follow_redirects=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A lab with one MCP server, whose owner has opened LiteLLM's MCP routes."""
    server, port = McpServer(), free_port()
    with listening(server.app()) as base:
        document = {
            "homelab": {
                "showroom": {"handles": ["agent"]},
                "callers": {"app": {"key": APP}},
                "gate": {"open": OPENED},
                "state": "memory://",
            },
            "model_list": [
                {
                    "model_name": "agent",
                    "litellm_params": {
                        "model": "lm_studio/agent",
                        "api_base": f"{base}/v1",
                        "api_key": "none",
                    },
                }
            ],
            "mcp_servers": {"home": {"url": f"{base}/mcp", "transport": "http", "allow_all_keys": True}},
            "general_settings": {
                "master_key": "os.environ/LITELLM_MASTER_KEY",
                "custom_auth": "litellm_homelab.gate",
            },
            "litellm_settings": {"callbacks": ["litellm_homelab.plugin"]},
        }
        config: Path = tmp_path_factory.mktemp("mcp") / "router.yaml"
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        environ = {"LITELLM_MASTER_KEY": MASTER, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with (
            litellm(config, port, environ),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ):
            yield Running(client, server)


def result(answer: httpx.Response) -> Any:
    """The result of a JSON-RPC answer, whole or as an event."""
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.splitlines() if line.startswith("data: ")]
    return json.loads(lines[-1].removeprefix("data: ") if lines else answer.text)["result"]


def test_an_opened_mcp_route_lists_and_calls_tools(lab: Running) -> None:
    """A client's key lists the server's tools and calls one, which the server receives."""
    start = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    assert "tools" in result(lab.rpc("initialize", start))["capabilities"]
    assert [tool["name"] for tool in result(lab.rpc("tools/list", {}))["tools"]] == ["home-lights"]
    assert result(lab.rpc("tools/call", CALL))["content"][0]["text"] == "lit: kitchen"
    assert lab.server.calls[-1] == {"room": "kitchen"}


def test_an_opened_rest_route_lists_tools(lab: Running) -> None:
    """LiteLLM's own way to them, without MCP's protocol."""
    answer = lab.client.get("/mcp-rest/tools/list", headers={"Authorization": f"Bearer {APP}"})
    assert answer.status_code == 200, answer.text
    assert "lights" in answer.text


def test_an_opened_mcp_route_needs_a_key(lab: Running) -> None:
    """A key that is not known calls nothing."""
    before = len(lab.server.calls)
    assert lab.rpc("tools/call", CALL, key="sk-unknown").status_code == 401
    assert len(lab.server.calls) == before


def test_one_server_below_the_opened_route(lab: Running) -> None:
    """LiteLLM mounts `/mcp` as an app: whoever opens it opens the servers below it too."""
    assert result(lab.rpc("tools/call", CALL, path="/mcp/home"))["content"][0]["text"] == "lit: kitchen"


@pytest.mark.parametrize("path", ["/home/mcp", "/mcp/proxy", "/mcp-rest/test/connection"])
def test_other_mcp_routes_stay_closed(lab: Running, path: str) -> None:
    """Opening one opens no other."""
    before = len(lab.server.calls)
    answer = lab.rpc("tools/call", CALL, path=path)
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "route_not_allowed")
    assert len(lab.server.calls) == before
