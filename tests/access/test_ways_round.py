"""Ways round the gate, through the mocked proxy: spellings, hosts, headers, broken rules, logs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.access.asking import BODY, KEYS, MASTER, ROUTER, TEXT, USERS, bearer, described, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """One mocked proxy for all of them."""
    async with MockProxy(ROUTER, {"LITELLM_MASTER_KEY": MASTER}) as running:
        yield running


# --- ways round -------------------------------------------------------------------------------------


TRICKS = (
    *("/rag/query/", "//rag/query", "/rag//query", "/rag/./query", "/v1/../rag/query", "/RAG/query"),
    *("/rag%2Fquery", "/r%61g/query", "/rag/query%20", "/rag/query;x=1", "/rag/query?x=/health/liveliness"),
    *(
        "/health/liveliness/../../rag/query",
        "/health/liveliness%2f..%2frag/query",
        "/rag/query%00",
        "/%2Frag/query",
    ),
    *("/v1/models/../threads/runs", "/utils/token%5Fcounter", "/vllm/v1/chat/completions"),
    *(
        "/openai/v1/files",
        "/x/v1/batches",
        "/x/mcp",
        "/mcp/x",
        "/bria",
        "/bria/x",
        "/azure//openai",
        "/litellm/rag/query",
    ),
)


@pytest.mark.parametrize("who", ["master", "client", "no key"])
@pytest.mark.parametrize("path", TRICKS)
async def test_no_spelling_of_a_closed_route_gets_through(proxy: MockProxy, path: str, who: str) -> None:
    """The route that LiteLLM matches is what counts: a spelling is closed, redirected, or leads nowhere."""
    answer = await proxy.post(path, {**BODY, "model": "main"}, headers=bearer(who))
    assert answer.status in {307, 401, 403, 404, 405}, described(answer)
    assert answer.calls == ()


@pytest.mark.parametrize("host", ["x/health/liveliness?y=", "x/v1/models", "[", "127.0.0.1:1/metrics#"])
@pytest.mark.parametrize(("path", "status"), [("/rag/query", 403), ("/key/generate", 403), ("/mcp", 403)])
async def test_a_host_header_changes_no_route(proxy: MockProxy, host: str, path: str, status: int) -> None:
    """Starlette builds `request.url` from the Host header; the gate does not look at it."""
    answer = await proxy.post(path, BODY, headers={**bearer("client"), "Host": host})
    assert answer.status == status, described(answer)


async def test_a_server_below_a_path_is_as_closed(proxy: MockProxy) -> None:
    """Below a root path (SERVER_ROOT_PATH) the same routes are matched."""
    from litellm.proxy import proxy_server

    app = proxy_server.app
    before, app.root_path = app.root_path, "/genai"
    try:
        for path, status in (
            ("/genai/rag/query", 403),
            ("/genai/routes", 401),
            ("/genai/v1/chat/completions", 200),
        ):
            who = "no key" if status == 401 else "client"
            method = "GET" if status == 401 else "POST"
            body = {"model": "main", "messages": TEXT}
            answer = await proxy.request(method, path, json=body, headers=bearer(who))
            assert answer.status == status, (path, described(answer))
        assert (await proxy.get("/genai/metrics/", headers=bearer("client"))).status == 403
    finally:
        app.root_path = before


async def test_an_opened_route_is_served(proxy: MockProxy) -> None:
    """What `homelab.gate.open` names is served to callers; no key and a metrics key stay out."""
    body = {"model": "main", "messages": TEXT, "priority": 0}
    found = {who: await proxy.post("/queue/chat/completions", body, headers=bearer(who)) for who in KEYS}
    assert {who: answer.status for who, answer in found.items()} == {
        **dict.fromkeys(USERS, 200),
        "metrics": 403,
        "no key": 401,
        "wrong key": 401,
    }
    assert (await proxy.get("/public/endpoints", headers=bearer("no key"))).status == 200


async def test_a_caller_with_routes_uses_those(proxy: MockProxy) -> None:
    """`routes` narrows a caller to what it names, by the route that is matched."""
    headers = {"Authorization": "Bearer sk-narrow-key-1"}
    body = {"model": "main", "messages": TEXT}
    assert (await proxy.post("/v1/chat/completions", body, headers=headers)).status == 200
    assert (await proxy.get("/v1/models/main", headers=headers)).status == 200
    for path in ("/chat/completions", "/v1/messages", "/engines/main/chat/completions"):
        answer = await proxy.post(path, {**body, "max_tokens": 5}, headers=headers)
        kind = "permission_error" if path == "/v1/messages" else "route_not_allowed"
        assert refused(answer, 403, kind), described(answer)


@pytest.mark.parametrize("header", ["x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key"])
async def test_a_key_in_another_header_opens_the_same_routes(proxy: MockProxy, header: str) -> None:
    """LiteLLM reads keys from several headers; a route is judged the same whichever it is."""
    headers = {"Authorization": "", header: KEYS["client"]}
    body = {"model": "main", "messages": TEXT}
    assert (await proxy.post("/v1/chat/completions", body, headers=headers)).status == 200
    assert (await proxy.post("/key/generate", {}, headers=headers)).status == 403
    assert (await proxy.get("/metrics/", headers=headers)).status in {401, 403}


async def test_a_broken_rule_refuses(proxy: MockProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that raises closes the door, the key check and the metrics with policy_error."""
    from litellm_homelab.access.rule import Gate

    def broken(*_: object, **__: object) -> object:
        raise RuntimeError("broken on purpose")

    for name, path in (("before_key", "/v1/models"), ("decide", "/v1/models"), ("metrics", "/metrics/")):
        with monkeypatch.context() as patch:
            patch.setattr(Gate, name, broken)
            answer = await proxy.get(path, headers=bearer("master"))
            assert (answer.status, answer.error["type"]) == (503, "policy_error"), name
    assert (await proxy.get("/v1/models", headers=bearer("master"))).status == 200


async def test_no_key_is_in_any_log(proxy: MockProxy, caplog: pytest.LogCaptureFixture) -> None:
    """At the most talkative level, neither a key that is taken nor one that is turned down is written."""
    loggers = [logging.getLogger(name) for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router")]
    levels = [(one, one.level, one.propagate) for one in loggers]
    caplog.set_level(logging.DEBUG)
    try:
        for one in loggers:
            one.setLevel(logging.DEBUG)
            one.propagate = True
        for who in KEYS:
            for path in ("/v1/chat/completions", "/rag/query", "/key/generate"):
                if (who, path) != ("master", "/key/generate"):
                    await proxy.post(path, {"model": "main", "messages": TEXT}, headers=bearer(who))
            await proxy.get("/metrics/", headers=bearer(who))
    finally:
        for one, level, propagate in levels:
            one.setLevel(level)
            one.propagate = propagate
    assert len(caplog.records) > 50
    found = [
        (who, record.name, record.getMessage()[:200])
        for record in caplog.records
        for who, key in KEYS.items()
        if key and key in record.getMessage()
    ]
    assert found == []
