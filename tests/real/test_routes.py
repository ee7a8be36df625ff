"""The gate on a real LiteLLM process: what the mocked proxy cannot show."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from litellm_homelab.testing.upstream import Upstreams
from tests.gate.asking import BODY, ROUTER, TEXT
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

KEYS = {
    "client": "sk-app-key-0001",
    "client, next key": "sk-app-key-0002",
    "optillm": "sk-optillm-key-0001",
    "metrics": "sk-metrics-key-0001",
    "wrong key": "sk-nobodys-key",
}
ENVIRON = ("main", "embed", "base", "back", "search", "bria")
UNGUARDED = (
    *("/v1/messages/count_tokens", "/v1/responses/input_tokens", "/v1beta/models/main:countTokens"),
    *(
        "/rag/query",
        "/v1/rag/ingest",
        "/vllm/v1/chat/completions",
        "/azure/openai/deployments/main/chat/completions",
    ),
    *(
        "/openai/v1/chat/completions",
        "/openai_passthrough/v1/x",
        "/anthropic/v1/messages",
        "/bedrock/model/x/invoke",
    ),
    *(
        "/v1/batches",
        "/openai/v1/batches",
        "/v1/assistants",
        "/v1/threads",
        "/v1/vector_stores",
        "/v1/fine_tuning/jobs",
    ),
    *(
        "/mcp",
        "/mcp/x",
        "/x/mcp",
        "/mcp-rest/tools/call",
        "/a2a/x",
        "/v1/a2a/discover",
        "/v1/evals",
        "/v1/decisions",
    ),
    *("/bria", "/utils/token_counter", "/health/test_connection", "/gemini/v1beta/models", "/langfuse/x"),
)
"""One route of each kind; most are registered by their first request, which is this one."""
KEYLESS = (
    *("/routes", "/openapi.json", "/public/model_hub", "/", "/redoc", "/get/ui_settings", "/sso/debug/login"),
    *(
        "/.well-known/oauth-authorization-server",
        "/authorize",
        "/config/yaml",
        "/test",
        "/health/drain",
        "/ui/",
    ),
)
MANAGEMENT = (
    "/key/list",
    "/v2/model/info",
    "/health",
    "/config/list",
    "/spend/logs",
    "/guardrails/list",
    "/routes/x",
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A real LiteLLM, what its upstreams were sent, its log."""

    client: httpx.Client
    upstreams: Upstreams
    master: str
    log: Path

    def ask(self, method: str, path: str, who: str, body: object = None) -> httpx.Response:
        """One request with a kind of key."""
        key = self.master if who == "master" else KEYS.get(who, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.client.request(method, path, json=body, headers=headers)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """One LiteLLM process at its most talkative."""
    upstreams, port, master = Upstreams(), free_port(), f"sk-{secrets.token_urlsafe(16)}"
    with listening(upstreams) as base:
        bases = {f"{name.upper()}_API_BASE": f"{base}{upstreams.path(name)}/v1" for name in ENVIRON}
        environ = {**bases, "LITELLM_MASTER_KEY": master, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with (
            litellm(ROUTER, port, {**environ, "LITELLM_LOG": "DEBUG"}) as log,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
        ):
            yield Proxy(client, upstreams, master, log)


@pytest.mark.parametrize("who", ["no key", "client", "master"])
@pytest.mark.parametrize("path", UNGUARDED)
def test_a_route_that_no_hook_guards_is_closed(proxy: Proxy, path: str, who: str) -> None:
    """The first request that makes LiteLLM register a feature is refused like every other."""
    before = len(proxy.upstreams.recorder.requests())
    answer = proxy.ask("POST", path, who, {**BODY, "model": "main"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "route_not_allowed"), answer.text
    assert len(proxy.upstreams.recorder.requests()) == before


@pytest.mark.parametrize(
    ("who", "status"), [("no key", 401), ("wrong key", 401), ("client", 403), ("metrics", 403)]
)
@pytest.mark.parametrize("path", KEYLESS)
def test_what_litellm_shows_to_anyone_is_for_the_master_key(
    proxy: Proxy, path: str, who: str, status: int
) -> None:
    """Its own lists, pages and logins ask for our key."""
    assert proxy.ask("GET", path, who).status_code == status


@pytest.mark.parametrize(
    ("who", "status"), [("no key", 401), ("wrong key", 401), ("client", 403), ("optillm", 403)]
)
@pytest.mark.parametrize("path", MANAGEMENT)
def test_management_is_for_the_master_key(proxy: Proxy, path: str, who: str, status: int) -> None:
    """Every other key is refused; a path that does not exist is a 404."""
    expected = 404 if path == "/routes/x" else status
    assert proxy.ask("GET", path, who).status_code == expected


@pytest.mark.parametrize("who", ["client", "client, next key", "master"])
def test_a_guarded_route_serves_its_callers(proxy: Proxy, who: str) -> None:
    """Chat answers, with the present key and with the next."""
    answer = proxy.ask("POST", "/v1/chat/completions", who, {"model": "main", "messages": TEXT})
    assert (answer.status_code, answer.json()["model"]) == (200, "main")


def test_optillm_reaches_what_is_internal(proxy: Proxy) -> None:
    """The key of role optillm calls an internal model, which no client may."""
    body: dict[str, Any] = {"model": "base", "messages": TEXT}
    assert proxy.ask("POST", "/v1/chat/completions", "optillm", body).status_code == 200
    assert proxy.ask("POST", "/v1/chat/completions", "client", body).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("no key", 401),
        ("wrong key", 401),
        ("client", 403),
        ("optillm", 403),
        ("metrics", 200),
        ("master", 200),
    ],
)
def test_metrics(proxy: Proxy, who: str, status: int) -> None:
    """Role metrics and the master key read them."""
    assert proxy.ask("GET", "/metrics/", who).status_code == status


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/readiness"])
def test_liveliness_and_readiness_are_open(proxy: Proxy, path: str) -> None:
    """A load balancer needs no key."""
    assert proxy.ask("GET", path, "no key").status_code == 200


@pytest.mark.parametrize("path", ["/vertex_ai/live", "/openai/v1/x", "/deepgram/v1/listen", "/mcp"])
def test_a_websocket_is_refused_in_the_handshake(proxy: Proxy, path: str) -> None:
    """A closed websocket is an HTTP 403, with the master key too."""
    url = str(proxy.client.base_url).replace("http", "ws").rstrip("/") + path
    headers = {"Authorization": f"Bearer {proxy.master}"}
    with pytest.raises(InvalidStatus, match="403"), connect(url, additional_headers=headers):
        pass


@pytest.mark.parametrize(
    "path", ["/rag/query/", "//rag/query", "/r%61g/query", "/rag%2fquery", "/x/../rag/query"]
)
def test_no_spelling_gets_through(proxy: Proxy, path: str) -> None:
    """As a server hears it: closed, redirected, or nothing there."""
    answer = proxy.ask("POST", path, "master", BODY)
    assert answer.status_code in {307, 403, 404, 405}, answer.text


def test_no_key_is_in_the_log(proxy: Proxy) -> None:
    """At LITELLM_LOG=DEBUG, after all of the above, LiteLLM's log has none of the keys in it."""
    for who in (*KEYS, "master"):
        proxy.ask("POST", "/v1/chat/completions", who, {"model": "main", "messages": TEXT})
    text = proxy.log.read_text(encoding="utf-8", errors="replace")
    assert "DEBUG" in text
    found = [who for who, key in {**KEYS, "master": proxy.master}.items() if key in text]
    assert found == []
