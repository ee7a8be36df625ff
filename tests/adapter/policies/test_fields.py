"""Fields, headers, queries and metadata through LiteLLM, for every caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.naming import BODIES, GENERATE

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTER = Path(__file__).parents[2] / "routers" / "lane.yaml"
KEYS = {"master": "", "client": "sk-app-key-0001", "optillm": "sk-optillm-key-0001"}
ROUTES = {**BODIES, "/v1beta/models/main:generateContent": GENERATE}
REACHING: dict[str, Any] = {
    "deployment_id": "../../admin/any?x=",
    "api_key": "sk-other",
    "headers": {"a": "b"},
    "extra_headers": {"authorization": "Bearer evil"},
    "custom_llm_provider": "hosted_vllm",
    "mock_response": "made up",
    "fallback_depth": 9,
    "callbacks": ["langfuse"],
    "specific_deployment": True,
    "draft_model": "/etc",
    "metadata": {"model_group": "back"},
    "extra_body": {"model": "real-back"},
}
TUNING: dict[str, Any] = {
    "timeout": 0.0001,
    "no-log": True,
    "num_retries": 9,
    "drop_params": False,
    "priority": 0,
    "id": "mine",
    "tags": ["paid"],
    "metadata": {"tags": ["paid"], "mine": "kept"},
    "cache": {"no-cache": True},
    "caching": True,
    "nobody_knows_this": "at all",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """The lane's router: plain handles, an OptiLLM handle, callers of two roles."""
    async with MockProxy(ROUTER) as running:
        yield running


def key(who: str) -> dict[str, str]:
    """The header by which a caller is known; the master key's for none."""
    return {"Authorization": f"Bearer {KEYS[who]}"} if KEYS[who] else {}


def named(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body with the route's own handle in it."""
    if "generateContent" in path:
        return body
    return {**body, "model": "embed" if path == "/v1/embeddings" else "main"}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("field", REACHING)
async def test_a_reaching_field_is_refused_on_every_route(proxy: MockProxy, path: str, field: str) -> None:
    """Before any call, with the field's name, the master key's requests too."""
    answer = await proxy.post(path, {**named(path, ROUTES[path]), field: REACHING[field]})
    assert (answer.status, answer.sent_to) == (400, []), answer.text
    assert f"The field '{field}" in answer.text


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("field", TUNING)
async def test_a_tuning_field_is_dropped_on_every_route(proxy: MockProxy, path: str, field: str) -> None:
    """Real clients send such fields on every call: they are answered, and the backend sees nothing of it."""
    answer = await proxy.post(path, {**named(path, ROUTES[path]), field: TUNING[field]})
    assert (answer.status, len(answer.calls)) == (200, 1), answer.text
    assert field == "metadata" or field not in answer.wire[0]
    assert "paid" not in str(answer.wire)


@pytest.mark.parametrize(
    ("who", "handle"),
    [("master", "main"), ("master", "boost"), ("client", "main"), ("client", "boost"), ("optillm", "base")],
)
async def test_no_caller_reaches_elsewhere(proxy: MockProxy, who: str, handle: str) -> None:
    """A client, OptiLLM and the operator get the same refusal, at plain and OptiLLM handles."""
    body = {"model": handle, "messages": [{"role": "user", "content": "hello"}], "deployment_id": "x"}
    answer = await proxy.post("/v1/chat/completions", body, headers=key(who))
    got = (answer.status, answer.error["type"], answer.error["param"])
    assert got == (400, "param_not_allowed", "deployment_id")
    assert answer.sent_to == []


async def test_a_refusal_is_not_told_without_a_key(proxy: MockProxy) -> None:
    """Who has no key learns nothing of the fields."""
    body = {"model": "main", "messages": [], "deployment_id": "x"}
    answer = await proxy.post("/v1/chat/completions", body, headers={"Authorization": "Bearer sk-wrong-key"})
    assert (answer.status, "deployment_id" in answer.text) == (401, False)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x-litellm-timeout": "0.0001"}, id="timeout"),
        pytest.param({"X-LITELLM-NUM-RETRIES": "9"}, id="retries"),
        pytest.param({"x-litellm-tags": "paid"}, id="tags"),
        pytest.param({"x-litellm-new-one": "1"}, id="a new one"),
    ],
)
async def test_a_tuning_header_is_dropped(proxy: MockProxy, headers: dict[str, str]) -> None:
    """LiteLLM takes orders from headers too: it never reads these."""
    body = {"model": "main", "messages": [{"role": "user", "content": "hello"}]}
    answer = await proxy.post("/v1/chat/completions", body, headers=headers)
    assert (answer.status, answer.sent_to) == (200, ["main"]), answer.text


@pytest.mark.parametrize(
    ("path", "headers", "param"),
    [
        pytest.param("", {"custom-llm-provider": "azure"}, "custom-llm-provider", id="header"),
        pytest.param("?custom_llm_provider=azure", {}, "custom_llm_provider", id="query"),
        pytest.param("?api_base=http://127.0.0.1:9", {}, "api_base", id="address in the query"),
    ],
)
async def test_a_reaching_header_or_query_is_refused(
    proxy: MockProxy, path: str, headers: dict[str, str], param: str
) -> None:
    """The refusal names it."""
    body = {"model": "main", "messages": [{"role": "user", "content": "hello"}]}
    answer = await proxy.post(f"/v1/chat/completions{path}", body, headers=headers)
    assert (answer.status, answer.error["param"], answer.sent_to) == (400, param, [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("deployment_id", "x", id="field"),
        pytest.param("extra_body[model]", "back", id="brackets"),
        pytest.param("extra_body", '{"model": "back"}', id="extra_body"),
        pytest.param("metadata[model_group]", "back", id="metadata in brackets"),
        pytest.param("metadata", '{"user_api_key_alias": "master"}', id="metadata"),
    ],
)
async def test_a_form_steers_no_more_than_json(proxy: MockProxy, field: str, value: str) -> None:
    """LiteLLM takes a form for a chat request; here it is refused whole, whatever its fields say."""
    data = {"model": "main", "messages": "hello", field: value}
    for kind in ({"data": data}, {"data": data, "files": {"file": ("a.txt", b"hello")}}):
        answer = await proxy.request("POST", "/v1/chat/completions", **kind)
        assert (answer.status, answer.error["type"], answer.sent_to) == (400, "invalid_request_error", [])


@pytest.mark.parametrize(
    ("extra", "headers"),
    [
        pytest.param({"metadata": {"chat_id": "c"}, "user": "u", "store": False}, {}, id="OpenAI"),
        pytest.param({"stream_options": {"include_usage": True}, "stream": True}, {}, id="stream"),
        pytest.param({"additional_drop_params": [], "drop_params": True}, {}, id="drop"),
        pytest.param({"litellm_metadata": {"mine": 1}, "litellm_session_id": "s"}, {}, id="sessions"),
        pytest.param({}, {"Cache-Control": "no-cache", "x-litellm-call-id": "mine"}, id="browser"),
        pytest.param({}, {"x-litellm-keepalive-seconds": "5"}, id="keep-alive"),
    ],
)
async def test_ordinary_requests_are_served(
    proxy: MockProxy, extra: dict[str, Any], headers: dict[str, str]
) -> None:
    """What LiteLLM writes into its request dict itself is not held against the client."""
    body = {"model": "main", "messages": [{"role": "user", "content": "hello"}], **extra}
    answer = await proxy.post("/v1/chat/completions", body, headers=headers)
    assert (answer.status, answer.sent_to) == (200, ["main"]), answer.text
    anthropic = {"model": "main", "messages": body["messages"], "max_tokens": 9, "metadata": {"user_id": "u"}}
    assert (await proxy.post("/v1/messages", anthropic, headers=headers)).status == 200
