"""The ASGI wrapper: one record for each request, no upstream in the response headers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from litellm_homelab.adapter import context
from litellm_homelab.adapter.middleware import outer

LEAKING = {
    "x-litellm-model-id": "4f0c",
    "x-litellm-model-api-base": "http://10.0.0.7:8080/v1",
    "X-LiteLLM-Model-Group": "rung",
    "x-litellm-model-name": "openai/real-main",
    "llm_provider-server": "uvicorn",
    "LLM_PROVIDER-x-request-id": "7",
    "server": "vllm",
    "x-litellm-version": "1",
    "request-id": "req_7",
    "x-ratelimit-remaining-requests": "7",
    "openai-organization": "org-7",
    "cf-ray": "7",
    "x-nobody-knows": "7",
}
KEPT = {
    "content-type": "text/plain",
    "x-litellm-call-id": "1",
    "retry-after": "7",
    "x-homelab-calls": "7",
    "access-control-allow-origin": "*",
}
Endpoint = Callable[[Any], Awaitable[Response]]


def client(endpoint: Endpoint) -> httpx.AsyncClient:
    """A client of a tiny app whose only route is wrapped as LiteLLM's app is."""
    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])
    outer.wrap(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1")


@pytest.mark.parametrize("status", [200, 404, 500])
async def test_headers_that_name_an_upstream_are_removed(status: int) -> None:
    """On answers and errors alike, however they are spelt; those on the list stay."""

    async def answer(request: Any) -> Response:
        return PlainTextResponse("hello", status, {**LEAKING, **KEPT})

    async with client(answer) as http:
        response = await http.post("/v1/chat/completions")
    assert response.status_code == status
    assert response.text == "hello"
    assert {name.lower() for name in LEAKING} & set(response.headers) == set()
    assert {name: response.headers[name] for name in KEPT} == {
        **KEPT,
        "content-type": response.headers["content-type"],
    }


async def test_each_request_has_a_record_of_its_own() -> None:
    """It is there while the request runs, says its path, and is gone afterwards."""
    seen: list[context.RequestContext | None] = []

    async def answer(request: Any) -> Response:
        record = context.current()
        assert record is not None
        assert (record.path, record.asked, record.outcome.refusals) == (request.url.path, None, [])
        record.asked = "main"
        seen.append(record)
        return PlainTextResponse("")

    async with client(answer) as http:
        await http.get("/v1/one")
        await http.get("/v1/two")
    assert [record.path for record in seen if record] == ["/v1/one", "/v1/two"]
    assert seen[0] is not seen[1]
    assert context.current() is None


async def test_requests_at_the_same_time_do_not_see_each_others_record() -> None:
    """Each writes its own name while all are under way, and reads its own name back, in a task too."""
    everyone = asyncio.Barrier(8)

    async def later() -> str | None:
        record = context.current()
        return record.asked if record else None

    async def answer(request: Any) -> Response:
        record = context.current()
        assert record is not None
        record.asked = request.url.path
        await everyone.wait()
        return PlainTextResponse(f"{record.asked} {await asyncio.create_task(later())}")

    async with client(answer) as http:
        answers = await asyncio.gather(*(http.get(f"/{number}") for number in range(8)))
    assert [answer.text for answer in answers] == [f"/{number} /{number}" for number in range(8)]


async def test_the_record_is_gone_after_an_app_that_breaks() -> None:
    """An exception passes through, and the next request starts anew."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        record = context.current()
        assert record is not None
        record.asked = "main"
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await outer.Edge(broken)(
            {"type": "http", "method": "GET", "path": "/", "headers": []}, _no_body, _nowhere
        )
    assert context.current() is None


async def _no_body() -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": b""}


async def _nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


async def _nowhere(message: Message) -> None:
    return


async def test_the_life_of_the_server_is_no_request() -> None:
    """Start and stop pass through without a record."""
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["type"], context.current()))

    await outer.Edge(app)({"type": "lifespan"}, _nothing, _nowhere)
    assert seen == [("lifespan", None)]


def test_a_websocket_has_a_record_too() -> None:
    """Realtime and responses over a websocket are requests like others."""
    seen: list[str | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        record = context.current()
        seen.append(record.path if record else None)
        await receive()
        await send({"type": "websocket.accept", "headers": [(b"x-litellm-model-id", b"4f0c")]})
        await send({"type": "websocket.close"})

    with TestClient(outer.Edge(app)).websocket_connect("/v1/responses") as socket:
        assert seen == ["/v1/responses"]
        assert socket.extra_headers in (None, [])


async def test_an_app_is_wrapped_once_and_keeps_its_own_middleware() -> None:
    """LiteLLM makes several of our entry points; the second finds the app wrapped already."""
    app = Starlette(routes=[])
    outer.wrap(app)
    first = app.middleware_stack
    outer.wrap(app)
    assert app.middleware_stack is first
    assert isinstance(first, outer.Edge)
    assert not isinstance(first.app, outer.Edge)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        assert (await http.get("/nowhere")).status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param(b"model=\xff\xfe", 400, id="no-utf8"),
        pytest.param("model=m\u00e4in".encode(), 400, id="utf8-unquoted"),
        pytest.param(b"model=m%C3%A4in%FF", 200, id="quoted"),
        pytest.param(b"", 200, id="none"),
    ],
)
async def test_a_query_that_is_no_url_is_a_400(query: bytes, status: int) -> None:
    """In OpenAI's shape, and LiteLLM never sees it: it would answer 500."""
    asked: list[Scope] = []
    sent: list[Message] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope)
        await PlainTextResponse("hello")(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/models", "query_string": query, "headers": []}
    await outer.Edge(inner)(scope, receive, send)
    assert (sent[0]["status"], len(asked)) == (status, status == 200)
    if status == 400:
        assert b'"type":"invalid_request_error"' in sent[1]["body"]
