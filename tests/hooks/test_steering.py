"""Steering fields, headers and metadata through LiteLLM, for every caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.naming import BODIES, GENERATE

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTER = Path(__file__).parents[1] / "routers" / "lane.yaml"
KEYS = {"master": "", "client": "sk-app-key-0001", "optillm": "sk-optillm-key-0001"}
ROUTES = {**BODIES, "/v1beta/models/main:generateContent": GENERATE}
STEERING: dict[str, Any] = {
    "timeout": 0.0001,
    "api_key": "sk-other",
    "headers": {"a": "b"},
    "extra_headers": {"authorization": "Bearer evil"},
    "no-log": True,
    "num_retries": 9,
    "custom_llm_provider": "hosted_vllm",
    "mock_response": "made up",
    "fallback_depth": 9,
    "callbacks": ["langfuse"],
    "specific_deployment": True,
    "tags": ["paid"],
    "metadata": {"tags": ["paid"]},
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
@pytest.mark.parametrize("field", STEERING)
async def test_a_steering_field_is_refused_on_every_route(proxy: MockProxy, path: str, field: str) -> None:
    """Before any call, with the field's name, the master key's requests too."""
    answer = await proxy.post(path, {**named(path, ROUTES[path]), field: STEERING[field]})
    assert (answer.status, answer.sent_to) == (400, []), answer.text
    assert f"The field '{field}" in answer.text


@pytest.mark.parametrize(
    ("who", "handle"),
    [("master", "main"), ("master", "boost"), ("client", "main"), ("client", "boost"), ("optillm", "base")],
)
async def test_no_caller_steers(proxy: MockProxy, who: str, handle: str) -> None:
    """A client, OptiLLM and the operator get the same refusal, at plain and OptiLLM handles."""
    body = {"model": handle, "messages": [{"role": "user", "content": "hello"}], "timeout": 0.0001}
    answer = await proxy.post("/v1/chat/completions", body, headers=key(who))
    assert (answer.status, answer.error["type"], answer.error["param"]) == (
        400,
        "param_not_allowed",
        "timeout",
    )
    assert answer.sent_to == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"x-litellm-timeout": "0.0001"}, id="timeout"),
        pytest.param({"X-LITELLM-NUM-RETRIES": "9"}, id="retries"),
        pytest.param({"x-litellm-tags": "paid"}, id="tags"),
        pytest.param({"custom-llm-provider": "azure"}, id="provider"),
    ],
)
async def test_a_steering_header_is_refused(proxy: MockProxy, headers: dict[str, str]) -> None:
    """LiteLLM takes orders from headers too; the refusal names it."""
    body = {"model": "main", "messages": [{"role": "user", "content": "hello"}]}
    answer = await proxy.post("/v1/chat/completions", body, headers=headers)
    assert (answer.status, answer.error["param"], answer.sent_to) == (400, next(iter(headers)).lower(), [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("timeout", "0.0001", id="field"),
        pytest.param("metadata", '{"user_api_key_alias": "master"}', id="metadata"),
    ],
)
async def test_a_form_steers_no_more_than_json(proxy: MockProxy, field: str, value: str) -> None:
    """LiteLLM takes a form for a chat request as well."""
    data = {"model": "main", "messages": "hello", field: value}
    for kind in ({"data": data}, {"data": data, "files": {"file": ("a.txt", b"hello")}}):
        answer = await proxy.request("POST", "/v1/chat/completions", **kind)
        assert (answer.status, answer.error["type"], answer.sent_to) == (400, "param_not_allowed", [])


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
