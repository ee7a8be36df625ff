"""A client's mistakes are named in a sentence, in the format of its API, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import Answer, MockProxy
from tests.config import shipped

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
SAID: Any = [{"role": "user", "content": "hello"}]
BODY: dict[str, Any] = {"model": "main", "messages": SAID}
FORM = "application/x-www-form-urlencoded"
MODELS = "main, deep, fast"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """The shipped router.yaml."""
    async with MockProxy(shipped.FOLDER / "router.yaml") as running:
        yield running


def refused(answer: Answer, status: int = 400) -> dict[str, Any]:
    """The error of an answer for which nothing was sent."""
    assert (answer.status, answer.calls) == (status, ()), answer.text
    return answer.error


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/embeddings", MESSAGES])
async def test_json_with_the_content_type_of_a_form(proxy: MockProxy, path: str, kind: str) -> None:
    """`curl -d` sends JSON as a form unless it is told otherwise: the message says what to add."""
    for body in (json.dumps(BODY), "\n  " + json.dumps(BODY)):
        error = refused(
            await proxy.request("POST", path, content=body.encode(), headers={"content-type": kind})
        )
        assert error["type"] == "invalid_request_error"
        assert f"looks like JSON but Content-Type is {kind.split(';')[0]}" in error["message"]
        assert "send Content-Type: application/json" in error["message"]


async def test_json_without_a_content_type_is_read(proxy: MockProxy) -> None:
    """A client that names no type, or text, sends JSON to LiteLLM as well."""
    for headers in ({}, {"content-type": "text/plain"}):
        content = json.dumps(BODY).encode()
        assert (await proxy.request("POST", CHAT, content=content, headers=headers)).status == 200


@pytest.mark.parametrize("path", [CHAT, "/v1/responses", "/v1/embeddings", MESSAGES, "/v1/moderations"])
async def test_an_empty_body(proxy: MockProxy, path: str) -> None:
    """It is said to be empty, not to lack a model."""
    error = refused(await proxy.request("POST", path, content=b""))
    assert error["message"].startswith("The body is empty. Send a JSON object")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (CHAT, {"messages": SAID}, f"'model' is missing. /v1/chat/completions serves: {MODELS}"),
        (CHAT, {"model": "", "messages": SAID}, "'model' is missing."),
        (CHAT, {"model": None, "messages": SAID}, "'model' is missing."),
        (CHAT, {}, "'model' is missing."),
        ("/v1/responses", {"input": "hi"}, f"'model' is missing. /v1/responses serves: {MODELS}"),
        (MESSAGES, {"messages": SAID}, f"'model' is missing. /v1/messages serves: {MODELS}"),
        ("/v1/embeddings", {"input": "hi"}, "'model' is missing. /v1/embeddings serves: embed."),
        (
            "/v1/moderations",
            {"input": "hi"},
            "'model' is missing. None of the models that you may use serves /v1/moderations.",
        ),
        (
            "/v1/embeddings",
            {"model": "main", "input": "hi"},
            "main has mode 'chat', which /v1/embeddings does not serve. /v1/embeddings serves: embed.",
        ),
        (MESSAGES, BODY, "'max_tokens' is missing. It is required."),
    ],
)
async def test_what_is_missing_is_named(proxy: MockProxy, path: str, body: Any, message: str) -> None:
    """A request without a model is told which ones the route serves, or that there are none."""
    assert refused(await proxy.post(path, body))["message"].startswith(message)


@pytest.mark.parametrize(
    ("path", "body", "param", "message"),
    [
        (CHAT, {**BODY, "stream": "true"}, "stream", "'stream' must be true or false"),
        (CHAT, {**BODY, "temperature": "hot"}, "temperature", "'temperature' must be a number"),
        (CHAT, {**BODY, "messages": "hi"}, "messages", "'messages' must be an array"),
        (CHAT, {**BODY, "tools": {}}, "tools", "'tools' must be an array"),
        ("/v1/responses", {"model": "main", "input": 7}, "input", "'input' must be a string or an array"),
        ("/v1/embeddings", {"model": "embed", "input": 7}, "input", "'input' must be a string or an array"),
    ],
)
async def test_a_wrong_type_is_named(
    proxy: MockProxy, path: str, body: Any, param: str, message: str
) -> None:
    """The 400 has the field as its param, and says which type is right."""
    error = refused(await proxy.post(path, body))
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["message"].startswith(message)


@pytest.mark.parametrize("scheme", ["BEARER ", "bearer ", "bEaReR ", "Bearer   "])
async def test_the_scheme_is_case_insensitive(proxy: MockProxy, scheme: str) -> None:
    """RFC 9110, section 11.1; nothing but the scheme is forgiven."""
    for path in (CHAT, MESSAGES):
        answer = await proxy.post(
            path, {**BODY, "max_tokens": 5}, headers={"Authorization": f"{scheme}sk-mock-proxy"}
        )
        assert answer.status == 200, answer.text
    wrong = await proxy.post(CHAT, BODY, headers={"Authorization": f"{scheme}SK-MOCK-PROXY"})
    assert wrong.status == 401


@pytest.mark.parametrize(
    ("status", "kind", "ask"),
    [
        (400, "invalid_request_error", {"content": b"[1]"}),
        (400, "invalid_request_error", {"content": b"{"}),
        (400, "invalid_request_error", {"json": {**BODY, "max_tokens": "5"}}),
        (400, "invalid_request_error", {"json": {**BODY, "max_tokens": 5, "api_base": "http://evil"}}),
        (401, "authentication_error", {"json": BODY, "headers": {"Authorization": "Bearer wrong"}}),
        (404, "not_found_error", {"json": {"model": "nope", "messages": SAID, "max_tokens": 5}}),
        (413, "request_too_large", {"content": b"{" + b" " * 33 * 2**20}),
    ],
)
async def test_every_error_on_messages_is_anthropics(
    proxy: MockProxy, status: int, kind: str, ask: dict[str, Any]
) -> None:
    """Those before LiteLLM's own code as well: Anthropic's SDK finds no text in any other format."""
    answer = await proxy.request("POST", MESSAGES, **ask)
    assert (answer.status, answer.json["type"], answer.error["type"]) == (status, "error", kind)
    assert set(answer.json) <= {"type", "error"}
    assert answer.error["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", MESSAGES, 405), ("POST", "/v1/messages/x", 404)]
)
async def test_an_unknown_route_below_messages(proxy: MockProxy, method: str, path: str, status: int) -> None:
    """FastAPI's `{"detail": ...}` is in Anthropic's format, too."""
    answer = await proxy.request(method, path)
    assert (answer.status, answer.json["type"]) == (status, "error")


async def test_a_broken_upstream_on_messages(proxy: MockProxy) -> None:
    """So is what an upstream's failure ends as."""
    upstream = proxy.upstream("main")
    upstream.fails(500)
    answer = await proxy.post(MESSAGES, {**BODY, "max_tokens": 5})
    upstream.works()
    assert (answer.status >= 500, answer.json["type"], answer.error["type"]) == (True, "error", "api_error")


async def test_a_wrong_name_of_a_model_to_look_at(proxy: MockProxy) -> None:
    """`GET /v1/models/<name>` answers for a handle, and like every other route for what is none."""
    found = await proxy.get("/v1/models/main")
    listed = await proxy.get("/v1/models")
    assert found.json["owned_by"] == "homelab"
    assert {one["owned_by"] for one in listed.json["data"]} == {"homelab"}
    for name in ("nope", "boost-base", "openai-gpt4o"):
        error = refused(await proxy.get(f"/v1/models/{name}"), 404)
        assert (error["type"], error["param"]) == ("model_not_found", "model")
        assert f"'{name}' does not exist or you may not use it. You may use: {MODELS}" in error["message"]


async def test_a_path_that_is_no_route(proxy: MockProxy) -> None:
    """An SDK that is given a wrong base URL shows a text."""
    assert refused(await proxy.get("/v1/nowhere"), 404)["message"] == "Not Found"


async def test_model_info_names_the_handle(proxy: MockProxy) -> None:
    """Coding agents skip an entry without `litellm_params.model`; it names nothing of the upstream."""
    entries = (await proxy.get("/v1/model/info")).json["data"]
    assert entries
    assert all(one["litellm_params"] == {"model": one["model_name"]} for one in entries)
