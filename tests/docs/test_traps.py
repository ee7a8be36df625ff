"""What docs/extension-points.md says of LiteLLM, seen on the installed one."""

from __future__ import annotations

import importlib.metadata
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from fastapi import HTTPException

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.testing import Answer, MockProxy
from tests import naming, versions
from tests.docs import extension_points
from tests.docs.probe import heir, probe

IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")
CALLBACKS = ["litellm_homelab.plugin", "tests.docs.probe.probe", "tests.docs.probe.heir"]
SEARCH = {
    "search_tool_name": "web",
    "litellm_params": {"search_provider": "searxng", "api_base": "http://127.0.0.1:9"},
}


@dataclass(frozen=True, slots=True)
class Situation:
    """A request, and which upstreams fail while it is made."""

    path: str
    body: dict[str, Any] | None = None
    failing: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    async def ask(self, proxy: MockProxy) -> Answer:
        """Make the request."""
        for group in self.failing:
            proxy.upstream(group).fails(500)
        try:
            method = "GET" if self.body is None else "POST"
            body = None if self.body is None else {**self.body, **self.extra}
            return await proxy.request(method, self.path, json=body)
        finally:
            for group in self.failing:
                proxy.upstream(group).works()


def _to(path: str, *failing: str, model: str = "main", **extra: Any) -> Situation:
    return Situation(path, naming.BODIES[path], failing, {"model": model, **extra})


CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
TEXT, EMBEDDINGS, GEMINI = "/v1/completions", "/v1/embeddings", "/v1beta/models/main"
UNGUARDED = ["/v1/messages/count_tokens", "/v1/responses/input_tokens", "/queue/chat/completions"]
"""Routes that the gate closes: what LiteLLM does there is what this page tells."""

SITUATIONS = {
    "chat": _to(CHAT),
    "chat, streamed": _to(CHAT, stream=True),
    "chat, one fallback": _to(CHAT, "main"),
    "chat, streamed, one fallback": _to(CHAT, "main", stream=True),
    "chat, fallback fails too": _to(CHAT, "main", "rung"),
    "chat, no fallback left, streamed": _to(CHAT, "plain", model="plain", stream=True),
    "chat, refused before routing": _to(CHAT, model="back"),
    "completions": _to(TEXT),
    "completions, streamed": _to(TEXT, stream=True),
    "responses": _to(RESPONSES),
    "responses, streamed": _to(RESPONSES, stream=True),
    "responses, one fallback": _to(RESPONSES, "main"),
    "messages": _to(MESSAGES),
    "messages, streamed": _to(MESSAGES, stream=True),
    "messages, one fallback": _to(MESSAGES, "main"),
    "generateContent": Situation(f"{GEMINI}:generateContent", naming.GENERATE),
    "streamGenerateContent": Situation(f"{GEMINI}:streamGenerateContent", naming.GENERATE),
    "embeddings": _to(EMBEDDINGS, model="embed"),
    "`/v1/search/{tool}`": Situation("/v1/search/web", {"query": "hello"}),
    "`/v1/models`": Situation("/v1/models"),
    "`/v1/models/{id}`": Situation("/v1/models/main"),
    "`/model/info`": Situation("/model/info"),
    "`/model_group/info`": Situation("/model_group/info"),
    "`/health?model=`": Situation("/health?model=embed"),
    "`/health/liveliness`": Situation("/health/liveliness"),
    "`/v1/messages/count_tokens`": Situation(
        f"{MESSAGES}/count_tokens", naming.BODIES[MESSAGES], (), {"model": "main"}
    ),
    "`/v1/responses/input_tokens`": Situation(
        f"{RESPONSES}/input_tokens", {"model": "main", "input": "hello"}
    ),
    "`/queue/chat/completions`": Situation(
        "/queue/chat/completions", {**naming.BODIES[CHAT], "model": "main", "priority": 0}
    ),
}


def _refuse(kind: RefusalType) -> Refuse:
    return Refuse(kind, "refused here")


def _deployment(group: str) -> dict[str, Any]:
    """A chat deployment whose id is its group's name."""
    params = {"model": f"openai/real-{group}", "api_base": "http://127.0.0.1:9/v1", "api_key": "none"}
    return {"model_name": group, "litellm_params": params, "model_info": {"id": group, "mode": "chat"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """The naming router (`main -> rung`), a chain `first -> second`, the probe and its heir as callbacks."""
    document = yaml.safe_load(naming.ROUTER.read_text(encoding="utf-8"))
    document["litellm_settings"]["callbacks"] = CALLBACKS
    document["model_list"] += [_deployment("first"), _deployment("second")]
    document["homelab"]["showroom"]["handles"].append("first")
    document["homelab"]["showroom"]["internal"].append("second")
    document["router_settings"]["fallbacks"].append({"first": ["second"]})
    document["search_tools"] = [SEARCH]
    document["homelab"]["gate"] = {"open": UNGUARDED}
    config = tmp_path_factory.mktemp("config") / "router.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    async with MockProxy(config) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Each test sees its own calls only."""
    probe.forget()
    heir.forget()


# --- the table ----------------------------------------------------------------------------------


def _table() -> dict[str, dict[str, int]]:
    """The page's table: by situation and hook, how often it ran."""
    header, *rows = extension_points.rows(extension_points.PAGE.read_text("utf-8"), extension_points.MEASURED)
    names = [cell.strip("`") for cell in header[1:]]
    return {
        row[0]: dict(zip(names, (int(cell.replace("-", "0")) for cell in row[1:]), strict=True))
        for row in rows
    }


@pytest.mark.parametrize("name", SITUATIONS)
@IN_THE_LOOP
async def test_which_hooks_run(proxy: MockProxy, name: str) -> None:
    """A row of the table is what LiteLLM does."""
    await SITUATIONS[name].ask(proxy)
    promised = {**_table()[name], **versions.HOOKS_CALLED.get(name, {})}
    assert {hook: probe.calls[hook] for hook in promised} == promised
    assert set(probe.calls) <= set(promised)


def test_the_table_has_no_other_rows() -> None:
    """Every row of the table is measured."""
    assert list(_table()) == list(SITUATIONS)


# --- the traps ----------------------------------------------------------------------------------


def test_the_page_was_measured_on_this_litellm() -> None:
    """The page names the installed version, and it is one that we call tested."""
    version = importlib.metadata.version("litellm")
    assert version in TESTED_LITELLM
    assert version in extension_points.PAGE.read_text("utf-8")


@IN_THE_LOOP
async def test_an_inherited_pre_call_hook_is_skipped(proxy: MockProxy) -> None:
    """LiteLLM calls a pre-call hook only if it stands on the very class; inherited others it calls."""
    await proxy.chat("main")
    assert (probe.calls["async_pre_call_hook"], heir.calls["async_pre_call_hook"]) == (1, 0)
    assert heir.calls["async_pre_call_deployment_hook"] == 1


@IN_THE_LOOP
async def test_an_inherited_stream_hook_is_skipped(proxy: MockProxy) -> None:
    """The hook around a stream follows the same rule."""
    await proxy.chat("main", stream=True)
    name = "async_post_call_streaming_iterator_hook"
    assert (probe.calls[name], heir.calls[name]) == (1, 0)


@pytest.mark.parametrize(
    ("error", "status", "sent_to"),
    [
        pytest.param(lambda: Refused(_refuse(RefusalType.MODEL_NOT_FOUND)), 404, [], id="ours"),
        pytest.param(lambda: HTTPException(404, "refused here"), 200, ["rung"], id="HTTPException"),
        pytest.param(lambda: ValueError("refused here"), 200, ["rung"], id="ValueError"),
    ],
)
@IN_THE_LOOP
async def test_only_a_guardrail_exception_ends_an_attempt_for_good(
    proxy: MockProxy, error: Any, status: int, sent_to: list[str]
) -> None:
    """Before the first attempt, any other exception lets the fallback run, and the client gets a 200."""
    probe.deny = lambda deployment: error() if deployment == "id-main" else None
    answer = await proxy.chat("main")
    assert (answer.status, answer.sent_to) == (status, sent_to), answer.text


@IN_THE_LOOP
async def test_a_refusal_in_a_fallback_is_not_what_the_client_gets(proxy: MockProxy) -> None:
    """The client gets the first error, and the refusal of the fallback's attempt is lost."""
    probe.deny = lambda deployment: (
        Refused(_refuse(RefusalType.PARAM_NOT_ALLOWED)) if deployment == "second" else None
    )
    answer = await _to(CHAT, "first", model="first").ask(proxy)
    assert (answer.status, answer.sent_to) == (500, ["first"]), answer.text


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(RefusalType.PARAM_NOT_ALLOWED, id="400"),
        pytest.param(RefusalType.ROUTE_NOT_ALLOWED, id="403"),
        pytest.param(RefusalType.POLICY_ERROR, id="503"),
        pytest.param(RefusalType.MODEL_NOT_FOUND, id="404"),
    ],
)
@IN_THE_LOOP
async def test_no_refusal_of_a_fallback_rests_its_deployment(proxy: MockProxy, kind: RefusalType) -> None:
    """With `allowed_fails` not set, LiteLLM would rest it for a 404, but for our check."""
    probe.deny = lambda deployment: Refused(_refuse(kind)) if deployment == "second" else None
    await _to(CHAT, "first", model="first").ask(proxy)
    probe.forget()
    answer = await _to(CHAT, "first", model="first").ask(proxy)
    assert (answer.status, answer.sent_to) == (200, ["first", "second"]), answer.text


@IN_THE_LOOP
async def test_nested_values_of_an_attempt_are_shared(proxy: MockProxy) -> None:
    """Attempts get a shallow copy each: what one changes deeper down, the next one sees."""
    proxy.upstream("main").fails(500)
    try:
        await proxy.chat("main", extra_body={"deep": True})
    finally:
        proxy.upstream("main").works()
    first, second = probe.attempts
    assert first is not second
    assert first["proxy_server_request"] is second["proxy_server_request"]


@pytest.mark.parametrize("path", [CHAT, TEXT, RESPONSES, MESSAGES])
@IN_THE_LOOP
async def test_an_upstreams_error_names_no_upstream(proxy: MockProxy, path: str) -> None:
    """Whether LiteLLM looks at what a failure hook returns or not, the text of the error is ours."""
    answer = await _to(path, "main", "rung").ask(proxy)
    assert answer.status == 500, answer.text
    for word in ("real-main", "real-rung", "id-main", "127.0.0.1", "rung"):
        assert word not in answer.text, answer.text


@IN_THE_LOOP
async def test_no_header_names_a_deployment(proxy: MockProxy) -> None:
    """What LiteLLM would tell in headers is removed around the app."""
    answer = await proxy.chat("main")
    names = [name.lower() for name in answer.response.headers]
    assert [name for name in names if name.startswith(("x-litellm-model-", "llm_provider-"))] == []
    assert any(name.startswith("x-litellm-") for name in names), "LiteLLM's own headers are there"


@IN_THE_LOOP
async def test_middleware_cannot_be_added_to_the_running_app(proxy: MockProxy) -> None:
    """`add_middleware` raises once the app has answered; its stack can still be wrapped."""
    from litellm.proxy.proxy_server import app

    with pytest.raises(RuntimeError, match="after an application has started"):
        app.add_middleware(type("Middleware", (), {}))


@IN_THE_LOOP
async def test_a_route_without_pre_call_leads_to_served_names_only(proxy: MockProxy) -> None:
    """`/queue/chat/completions` passes no pre-call hook; the rule that looks at attempts holds there too."""
    body = {**naming.BODIES[CHAT], "priority": 0}
    for name in ("back", "rung"):
        answer = await proxy.post("/queue/chat/completions", {**body, "model": name})
        assert answer.sent_to == [], name


@IN_THE_LOOP
async def test_no_key_is_a_401(proxy: MockProxy) -> None:
    """Without the `prisma` package LiteLLM answers a missing key with a 500."""
    answer = await proxy.post(CHAT, {**naming.BODIES[CHAT], "model": "main"}, headers={"Authorization": ""})
    assert (answer.status, answer.error["type"]) == (401, "auth_error"), answer.text


def test_a_file_beside_router_yaml_shadows_the_package(tmp_path: Path) -> None:
    """LiteLLM runs a file in the configuration's folder and not the package, once per entry."""
    from litellm.proxy.types_utils.utils import get_instance_fn

    fake = tmp_path / "litellm_homelab.py"
    fake.write_text("plugin = object()\n", encoding="utf-8")
    router = str(tmp_path / "router.yaml")
    found = [get_instance_fn("litellm_homelab.plugin", config_file_path=router) for _ in range(2)]
    assert found[0] is not found[1]
