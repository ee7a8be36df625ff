"""Every route of LiteLLM x every kind of key, through the mocked proxy."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.access.table import Access
from litellm_homelab.testing import MockProxy
from tests.access.asking import (
    KEYS,
    MASTER,
    OTHER_MODES,
    ROUTER,
    STRANGERS,
    USERS,
    ask,
    bearer,
    described,
    refusal_of,
    refused,
    routes,
    served_at,
    serving,
    sockets,
    wrongly_led,
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
@pytest.mark.parametrize("who", [who for who in KEYS if who != "client, next key"])
@pytest.mark.parametrize("kind", [Access.UNGUARDED, Access.GUARDED, Access.MANAGEMENT, Access.KEYLESS])
async def test_a_route_is_closed_to_those_whom_it_is_not_for(
    proxy: MockProxy, kind: Access, who: str
) -> None:
    """
    What no hook guards is a 403 whatever the key; the rest a 401 without a key of ours, else a 403.

    No backend is called. What the key may use is not tried here, management with the master key nowhere.
    """
    expected = refusal_of(kind, who)
    wrong = []
    for route in routes(kind) if expected else ():
        answer = await ask(proxy, route, who, "main")
        if expected is not None and not refused(answer, *expected):
            wrong.append(f"{route}: {described(answer)}")
    assert wrong == []


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("who", USERS)
async def test_a_guarded_route_leads_to_no_backroom_model(proxy: MockProxy, who: str) -> None:
    """With a name that nobody may use, a guarded route is a 4xx and calls no backend; a listing lacks it."""
    wrong = []
    for route in routes(Access.GUARDED):
        answer = await ask(proxy, route, who, "back")
        if wrongly_led(route, answer, "back"):
            wrong.append(f"{route}: {described(answer)}")
    assert wrong == []


@pytest.mark.parametrize("who", USERS)
async def test_a_guarded_route_serves_its_callers(proxy: MockProxy, who: str) -> None:
    """The routes that a handle of mode chat or embedding, or a search tool, serves call it once."""
    wrong, tried = [], 0
    for route in routes(Access.GUARDED):
        found = serving(route)
        if found is None:
            continue
        model, body = found
        answer = await proxy.post(served_at(route, model), body, headers=bearer(who))
        upstream = "search-tools" if model == "web" else model
        tried += 1
        if (answer.status, answer.sent_to) != (200, [upstream]):
            wrong.append(f"{route}: {described(answer)}")
    assert wrong == []
    assert tried == 27


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("who", USERS)
async def test_a_handle_of_another_mode_is_refused(proxy: MockProxy, who: str) -> None:
    """A route that the handle's mode does not fit is a 400, before any call."""
    wrong = []
    for route in routes(Access.GUARDED):
        if route.method == "POST" and route.path.endswith(OTHER_MODES):
            answer = await ask(proxy, route, who, "main")
            if not refused(answer, 400, "param_not_allowed"):
                wrong.append(f"{route}: {described(answer)}")
    assert wrong == []


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
    assert answer.status in {400, 403, 404, 422}, described(answer)
    assert answer.calls == ()


@pytest.mark.parametrize("who", KEYS)
@pytest.mark.parametrize("path", [*sockets(), "/mcp"])
async def test_a_websocket_does_not_open(proxy: MockProxy, path: str, who: str) -> None:
    """No websocket is for anyone: what is sent over it after its first message passes no hook."""
    from litellm.proxy import proxy_server

    sent: list[dict[str, Any]] = []
    headers = [(name.lower().encode(), value.encode()) for name, value in bearer(who).items() if value]
    scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"model=main"}
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

    await proxy_server.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


# --- the others -------------------------------------------------------------------------------------


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
    assert answer.status in expected.get(who, {403}), described(answer)
