"""Every route of LiteLLM x every kind of key, through the mocked proxy."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.gate.table import Access
from litellm_homelab.testing import MockProxy
from tests.gate.asking import (
    BODY,
    KEYS,
    MASTER,
    ROLES,
    ROUTER,
    STRANGERS,
    USERS,
    ask,
    bearer,
    refused,
    routes,
    told,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """One mocked proxy for all of them."""
    async with MockProxy(ROUTER, {"LITELLM_MASTER_KEY": MASTER}) as running:
        yield running


@pytest.fixture
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each refusal, which takes longer than the refusal."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


# --- inference --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("who", ROLES)
async def test_a_route_that_no_hook_guards_is_closed_for_everyone(proxy: MockProxy, who: str) -> None:
    """Every method of every such path is a 403 that says so, whatever the key, and calls no backend."""
    wrong = []
    for route in routes(Access.UNGUARDED):
        answer = await ask(proxy, route, who, "main")
        if not refused(answer, 403, "route_not_allowed"):
            wrong.append(f"{route}: {told(answer)}")
    assert wrong == []


LISTINGS = frozenset(
    {"/cursor/models", "/cursor/v1/models", "/models", "/v1/models", "/model_group/info"}
) | {
    "/model/info",
    "/v1/model/info",
}


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("who", ["master", "client", "optillm"])
async def test_a_guarded_route_leads_to_no_backroom_model(proxy: MockProxy, who: str) -> None:
    """With a name that nobody may use, a guarded route is a 4xx and calls no backend; a listing lacks it."""
    wrong = []
    for route in routes(Access.GUARDED):
        answer = await ask(proxy, route, who, "back")
        fine = answer.status == 200 if route.path in LISTINGS else answer.status in {400, 403, 404, 422}
        if not fine or answer.calls or (route.path in LISTINGS and "back" in answer.text):
            wrong.append(f"{route}: {told(answer)}")
    assert wrong == []


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("who", [*STRANGERS, "metrics"])
async def test_a_guarded_route_is_closed_without_a_callers_key(proxy: MockProxy, who: str) -> None:
    """No key and a wrong one are a 401 everywhere, a metrics key a 403, and no backend is called."""
    expected = (403, "route_not_allowed") if who == "metrics" else (401, "authentication_error")
    wrong = []
    for route in routes(Access.GUARDED):
        if route.path == "/openai/v1/realtime/client_secrets":
            continue  # LiteLLM itself gives this path to its pass-through (1.106.2), which is closed
        answer = await ask(proxy, route, who, "main")
        if not refused(answer, *expected):
            wrong.append(f"{route}: {told(answer)}")
    assert wrong == []


@pytest.mark.parametrize("who", USERS)
async def test_a_guarded_route_serves_its_callers(proxy: MockProxy, who: str) -> None:
    """The routes that a handle of mode chat or embedding serves answer, and call its upstream."""
    for path, model, fields in (
        ("/v1/chat/completions", "main", ("messages",)),
        ("/engines/main/chat/completions", "main", ("messages",)),
        ("/openai/deployments/main/completions", "main", ("prompt",)),
        ("/v1/messages", "main", ("messages", "max_tokens")),
        ("/v1/responses", "main", ("input",)),
        ("/v1beta/models/main:generateContent", "main", ("contents",)),
        ("/v1/embeddings", "embed", ("input",)),
    ):
        body = {"model": model, **{name: BODY[name] for name in fields}}
        answer = await proxy.post(path, body, headers=bearer(who))
        assert (answer.status, answer.sent_to) == (200, [model]), (path, told(answer))


@pytest.mark.parametrize("who", USERS)
@pytest.mark.parametrize(
    ("path", "form"),
    [
        pytest.param("/v1/audio/transcriptions", {"model": "back"}, id="transcription"),
        pytest.param("/v1/images/edits", {"model": "back", "prompt": "hello"}, id="image-edit"),
        pytest.param("/v1/files", {"purpose": "batch", "target_model_names": "back"}, id="file"),
        pytest.param("/v1/files", {"purpose": "batch"}, id="file-of-nobody"),
        pytest.param("/v1/ocr", {"model": "back"}, id="ocr"),
    ],
)
async def test_a_form_leads_to_no_backroom_model(
    proxy: MockProxy, who: str, path: str, form: dict[str, str]
) -> None:
    """What is sent as a form is judged like a body."""
    files = dict.fromkeys(("file", "image"), ("a.jsonl", b"{}"))
    answer = await proxy.request("POST", path, data=form, files=files, headers=bearer(who))
    assert answer.status in {400, 403, 404, 422}, told(answer)
    assert answer.calls == ()


@pytest.mark.parametrize("who", KEYS)
@pytest.mark.parametrize(
    "path",
    [
        *("/vertex_ai/live", "/openai/v1/x", "/openai_passthrough/x", "/deepgram/listen", "/mcp"),
        *("/v1/realtime", "/realtime", "/v1/responses", "/responses"),
    ],
)
async def test_a_websocket_is_closed_before_it_opens(proxy: MockProxy, path: str, who: str) -> None:
    """No websocket opens: not to a route without a hook, nor with a name that nobody may use."""
    from litellm.proxy import proxy_server

    sent: list[dict[str, Any]] = []
    headers = [(name.lower().encode(), value.encode()) for name, value in bearer(who).items() if value]
    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"model=back"}
    scope |= {
        "headers": headers,
        "scheme": "ws",
        "server": ("127.0.0.1", 80),
        "subprotocols": [],
        "root_path": "",
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"} if not sent else {"type": "websocket.disconnect", "code": 1006}

    async def send(message: Any) -> None:
        sent.append(message)

    before = len(proxy.upstream("back").requests)
    await proxy_server.app(scope, receive, send)
    kinds = [message["type"] for message in sent]
    shown = [message for message in sent if message["type"] == "websocket.send"]
    if who in USERS and path.rpartition("/")[2] in {"realtime", "responses"}:
        assert not shown or "model_not_found" in str(shown) or "does not exist" in str(shown), sent
    else:
        assert "websocket.accept" not in kinds, sent
    assert len(proxy.upstream("back").requests) == before


# --- the others -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("who", ROLES[1:])
@pytest.mark.parametrize("kind", [Access.MANAGEMENT, Access.KEYLESS])
async def test_management_and_pages_are_for_the_master_key(proxy: MockProxy, kind: Access, who: str) -> None:
    """Every such route is a 401 without a key of ours and a 403 with one; the master key is not tried."""
    expected = (401, "authentication_error") if who in STRANGERS else (403, "route_not_allowed")
    wrong = []
    for route in routes(kind):
        if route.path.startswith("/scim/"):
            continue  # LiteLLM asks for its licence before it asks for a key (1.106.2)
        answer = await ask(proxy, route, who, "main")
        if not refused(answer, *expected):
            wrong.append(f"{route}: {told(answer)}")
    assert wrong == []


@pytest.mark.parametrize("path", ["/routes", "/redoc", "/public/model_hub", "/", "/v1/model/info"])
async def test_the_master_key_reads_what_is_closed_to_others(proxy: MockProxy, path: str) -> None:
    """What LiteLLM would show to anyone, the master key still sees."""
    assert (await proxy.get(path, headers=bearer("master"))).status == 200


@pytest.mark.parametrize("path", ["/ui/", "/ui/index.html", "/swagger/swagger-ui.css", "/_next/x"])
async def test_files_of_pages_are_closed(proxy: MockProxy, path: str) -> None:
    """What LiteLLM serves as files needs the master key too, where it is installed at all."""
    assert (await proxy.get(path, headers=bearer("no key"))).status in {401, 404}


@pytest.mark.parametrize("path", ["/health/liveliness", "/health/liveness", "/health/readiness"])
@pytest.mark.parametrize("who", STRANGERS)
async def test_liveliness_and_readiness_are_open(proxy: MockProxy, who: str, path: str) -> None:
    """A load balancer needs no key."""
    assert (await proxy.get(path, headers=bearer(who))).status == 200


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metrics/x", "/metrics//"])
@pytest.mark.parametrize("who", KEYS)
async def test_metrics_are_for_prometheus_and_the_master_key(proxy: MockProxy, who: str, path: str) -> None:
    """Role metrics and the master key read them, another key is a 403, none or a wrong one a 401."""
    answer = await proxy.get(path, headers=bearer(who))
    allowed = {200, 307, 404} if path != "/metrics/" else {200}
    expected = {"master": allowed, "metrics": allowed, "no key": {401}, "wrong key": {401}}
    assert answer.status in expected.get(who, {403}), told(answer)
