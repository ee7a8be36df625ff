"""Forms that LiteLLM fails on before pre-call, and forms where JSON is due: what the client gets."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.adapter.litellm_api.test_own_metadata import IN_THE_LOOP, ROUTER
from tests.versions import FORM_WITH_AN_UNKNOWN_FIELD

FILE = {"image": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
FORM = {"model": "openai-image", "prompt": "hello"}
REFUSED = {
    "base_url": ("http://elsewhere.invalid", "base_url"),
    "azure_ad_token": ("x", "azure_ad_token"),
    "model_list": ("[]", "model_list"),
    "metadata": ('{"langfuse_host": "http://elsewhere.invalid"}', "metadata.langfuse_host"),
    "litellm_metadata": ('{"user_config": {}}', "litellm_metadata.user_config"),
}
"""Fields of a form, their values, and what the refusal names."""
STEERING = {
    "field": {"deployment_id": "x"},
    "brackets": {"extra_body[model]": "back"},
    "extra_body": {"extra_body": '{"model": "back"}'},
    "metadata in brackets": {"metadata[model_group]": "back"},
    "metadata": {"metadata": '{"user_api_key_alias": "master"}'},
}
"""Fields of a form that would steer a request, as a client may write them."""
JSON_ONLY = (
    "/v1/chat/completions", "/engines/openai-chat/chat/completions", "/v1/completions", "/v1/responses",
    "/openai/deployments/openai-chat/chat/completions", "/v1/messages",
    "/v1beta/models/openai-chat:generateContent", "/v1beta/models/openai-chat:streamGenerateContent",
    "/v1beta/interactions", "/v1/embeddings", "/v1/moderations", "/rerank", "/v1/images/generations",
    "/v1/audio/speech",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """Every provider in every mode."""
    async with MockProxy(ROUTER) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each failure, which takes longer than the failure."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@IN_THE_LOOP
@pytest.mark.parametrize("name", REFUSED)
async def test_a_field_that_litellm_rejects_is_our_refusal(proxy: MockProxy, name: str) -> None:
    """LiteLLM gives a 500 that says what the operator could set; without a key nobody learns of fields."""
    value, param = REFUSED[name]
    form = {"data": {**FORM, name: value}, "files": FILE}
    answer = await proxy.request("POST", "/v1/images/edits", **form)
    error = answer.response.json()["error"]
    assert (answer.status, error["type"], error["param"]) == (400, "param_not_allowed", param)
    assert answer.sent_to == []
    wrong = await proxy.request(
        "POST", "/v1/images/edits", headers={"Authorization": "Bearer sk-wrong"}, **form
    )
    assert (wrong.status, param in wrong.text) == (401, False)


@IN_THE_LOOP
@pytest.mark.parametrize("name", STEERING)
async def test_a_form_steers_no_more_than_json(proxy: MockProxy, name: str) -> None:
    """On a route that takes forms each field is judged as in JSON, brackets and JSON texts included."""
    answer = await proxy.request("POST", "/v1/images/edits", data={**FORM, **STEERING[name]}, files=FILE)
    assert (answer.status, answer.sent_to) == (400, []), answer.text
    assert answer.error["type"] == "param_not_allowed", answer.text


@IN_THE_LOOP
async def test_a_field_that_the_api_does_not_have(proxy: MockProxy) -> None:
    """Where LiteLLM fails on `web_search_options` of a form, the error names it; else it does not leave."""
    form: dict[str, Any] = {"data": {**FORM, "web_search_options": "{}"}, "files": FILE}
    answer = await proxy.request("POST", "/v1/images/edits", **form)
    assert answer.status == FORM_WITH_AN_UNKNOWN_FIELD
    named = answer.response.json().get("error", {}).get("param")
    assert named == ("web_search_options" if answer.status == 400 else None)
    assert all(b"web_search_options" not in call.content for call in answer.calls)


@IN_THE_LOOP
async def test_a_good_form_is_served(proxy: MockProxy) -> None:
    """Images are edited with a form."""
    answer = await proxy.request("POST", "/v1/images/edits", data=FORM, files=FILE)
    assert (answer.status, answer.sent_to) == (200, ["openai-image"])


@IN_THE_LOOP
@pytest.mark.parametrize("files", [None, {"file": ("a", b"b")}], ids=["urlencoded", "multipart"])
@pytest.mark.parametrize("path", JSON_ONLY)
async def test_a_form_where_json_is_due_is_a_400(proxy: MockProxy, path: str, files: Any) -> None:
    """The client is told which Content-Type to send."""
    data = {"model": "openai-chat", "messages": "hello", "input": "hello"}
    answer = await proxy.request("POST", path, data=data, files=files)
    error = answer.response.json()["error"]
    assert (answer.status, answer.sent_to) == (400, [])
    assert "Content-Type: application/json" in error["message"]
