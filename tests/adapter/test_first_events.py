"""Errors before anything was sent, ids that nobody keeps, and what a browser is told of both."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import Answer, MockProxy
from tests import versions

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTER = Path(__file__).parent.parent / "routers" / "lane.yaml"
USER = [{"role": "user", "content": "hello"}]
ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": USER}),
    "completions": ("/v1/completions", {"prompt": "hello"}),
    "responses": ("/v1/responses", {"input": "hello"}),
    "messages": ("/v1/messages", {"messages": USER, "max_tokens": 20}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """A gateway with the handle `main`."""
    async with MockProxy(ROUTER) as running:
        yield running


@pytest.mark.parametrize(("code", "status"), [(400, 400), (429, 429), (503, 503), (None, 500)])
@pytest.mark.parametrize("route", ROUTES)
async def test_an_error_as_the_first_event(
    proxy: MockProxy, quiet: None, route: str, code: int | None, status: int
) -> None:
    """It is JSON with the status that the event names, in the form of the route."""
    answer = await fails_first(proxy, route, "The engine has stopped.", code)
    assert (answer.status, answer.response.headers["content-type"]) == (status, "application/json")
    assert answer.json["error"]["message"] == "The engine has stopped."
    assert ("type" in answer.json) == (route == "messages")


@pytest.mark.parametrize("message", versions.CONTEXT_WINDOW_PHRASES)
@pytest.mark.parametrize("route", ROUTES)
async def test_a_prompt_too_long_as_the_first_event(
    proxy: MockProxy, quiet: None, route: str, message: str
) -> None:
    """It is a 400 if the event names no status, and no other attempt is made."""
    answer = await fails_first(proxy, route, message, None)
    assert (answer.status, answer.error["message"]) == (400, message)
    assert len(answer.calls) == 1


async def fails_first(proxy: MockProxy, route: str, message: str, code: int | None) -> Answer:
    """The answer to a stream whose first event is an error of the upstream's."""
    error = {"error": {"message": message, "type": "server_error", "code": code}}
    upstream = proxy.upstream("main")
    upstream.says(b"data: " + json.dumps(error).encode() + b"\n\n", stream=True)
    path, body = ROUTES[route]
    answer = await proxy.post(path, {"model": "main", "stream": True, **body})
    upstream.works()
    return answer


@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")]
)
async def test_a_response_that_nobody_keeps(proxy: MockProxy, quiet: None, method: str, rest: str) -> None:
    """An id that this gateway gave out, or any other: 404."""
    given = (await proxy.post("/v1/responses", {"model": "main", "input": "hello"})).json["id"]
    for name in (given, "resp_1"):
        answer = await proxy.request(method, f"/v1/responses/{name}{rest}")
        assert (answer.status, answer.error["type"]) == (404, "invalid_request_error")
        assert answer.calls == ()


STATE: dict[str, Any] = {
    "previous_response_id": "resp_1", "conversation": {"id": "conv_1"}, "prompt": {"id": "pmpt_1"},
    "background": True, "input": [{"type": "item_reference", "id": "msg_1"}],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), STATE.items(), ids=STATE.keys())
async def test_state_that_is_not_there_is_refused(
    proxy: MockProxy, quiet: None, name: str, value: object
) -> None:
    """Instead of an answer without the history; the text says what to send."""
    answer = await proxy.post("/v1/responses", {"model": "main", "input": "hello", name: value})
    assert (answer.status, answer.error["type"], answer.calls) == (400, "param_not_allowed", ())
    assert "keeps n" in answer.error["message"]


async def test_fields_of_state_that_ask_for_nothing_pass(proxy: MockProxy) -> None:
    """SDKs send them with null, and `store: true`, unless they are told not to."""
    nothing = {"previous_response_id": None, "conversation": None, "prompt": None, "background": False}
    answer = await proxy.post("/v1/responses", {"model": "main", "input": "hello", "store": True, **nothing})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [("/v1/chat/completions", b"[1]", 400), ("/v1/models", b"", 200)],
    ids=["body", "answered by LiteLLM"],
)
async def test_a_page_may_read_the_earliest_refusals(
    proxy: MockProxy, path: str, content: bytes, status: int
) -> None:
    """As it may read every other answer; once, and not where no page asks."""
    method = "POST" if content else "GET"
    asked = await proxy.request(method, path, content=content, headers={"origin": "https://page.example"})
    plain = await proxy.request(method, path, content=content)
    assert asked.status in {status, 401}
    assert asked.response.headers.get_list("access-control-allow-origin") == ["*"]
    assert "access-control-allow-origin" not in plain.response.headers
