"""What docs/extension-points.md says the hooks of the OptiLLM lane do, through the mocked proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import yaml

from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.testing import MockProxy
from tests.docs.probe import account

IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")
CALLERS: dict[str, dict[str, Any]] = {
    "app": {"key": "sk-app-app-app", "handles": ["boost"]},
    "optillm": {"key": "sk-optillm-optillm", "role": "optillm"},
    "prometheus": {"key": "sk-prometheus", "role": "metrics"},
}
TEXT = [{"role": "user", "content": "hello"}]


def _group(name: str) -> dict[str, Any]:
    params = {"model": f"openai/real-{name}", "api_base": "http://127.0.0.1:9/v1", "api_key": "none"}
    return {"model_name": name, "litellm_params": {**params, "use_chat_completions_api": True}}


DOCUMENT = {
    "homelab": {
        "showroom": {"handles": ["main", "boost"], "internal": ["base"]},
        "callers": CALLERS,
        "optillm": {"boost": {"approaches": ["none", "re2", "moa"], "max_calls": 6}},
        "state": "memory://",
    },
    "model_list": [_group("main"), _group("boost"), _group("base")],
    "litellm_settings": {
        "cache": True,
        "cache_params": {"type": "local"},
        "callbacks": [
            "litellm_homelab.plugin",
            "tests.docs.probe.account",
        ],
    },
    "general_settings": {
        "master_key": "os.environ/LITELLM_MASTER_KEY",
        "custom_auth": "litellm_homelab.gate",
        "disable_model_info_refresh": True,
    },
    "router_settings": {"num_retries": 0},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """A handle, an OptiLLM handle, and the internal group that its OptiLLM would call back."""
    config = tmp_path_factory.mktemp("config") / "router.yaml"
    config.write_text(yaml.safe_dump(DOCUMENT), encoding="utf-8")
    async with MockProxy(config) as running:
        yield running


def _as(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {CALLERS[name]['key']}"}


@IN_THE_LOOP
async def test_an_approach_that_is_not_listed_is_refused(proxy: MockProxy) -> None:
    """Nothing leaves for OptiLLM, and the message lists what is allowed."""
    answer = await proxy.chat("boost", optillm_approach="executecode")
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "approach_not_allowed", [])
    assert "re2" in answer.error["message"]


@IN_THE_LOOP
async def test_a_request_that_would_cost_too_much_is_refused(proxy: MockProxy) -> None:
    """An estimate above `max_calls` is refused before any call."""
    answer = await proxy.chat("boost", optillm_approach="re2&moa")
    assert (answer.status, answer.error["type"], answer.sent_to) == (422, "fanout_exceeded", [])


@IN_THE_LOOP
async def test_a_tag_in_a_prompt_is_refused(proxy: MockProxy) -> None:
    """The prompt does not choose the approach."""
    answer = await proxy.chat("boost", "<optillm_approach>moa</optillm_approach> hello")
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "approach_in_prompt", [])


@IN_THE_LOOP
async def test_known_fields_only_leave_for_optillm(proxy: MockProxy) -> None:
    """The approach leaves once, a field that OptiLLM has no use for does not."""
    answer = await proxy.chat("boost", optillm_approach="re2", extra_body={"x": 1}, mcts_depth=9)
    assert answer.status == 200, answer.text
    (sent,) = answer.wire
    assert sent["optillm_approach"] == "re2"
    assert not {"x", "extra_body", "mcts_depth"} & set(sent)


@IN_THE_LOOP
async def test_other_groups_get_none_of_optillms_fields(proxy: MockProxy) -> None:
    """A model server never sees `optillm_approach`, wherever a client put it."""
    fields = {"optillm_approach": "moa", "top_k": 1}
    answer = await proxy.chat("main", optillm_approach="re2", extra_body=fields)
    assert [sent.get("optillm_approach") for sent in answer.wire] == [None]
    assert answer.wire[0]["top_k"] == 1


@IN_THE_LOOP
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_root_is_marked_on_the_wire_and_nowhere_else(proxy: MockProxy, stream: bool) -> None:
    """OptiLLM is asked for a model with a mark; the client reads what the request cost and no mark."""
    answer = await proxy.chat("boost", optillm_approach="re2", stream=stream)
    assert answer.status == 200, answer.text
    assert MARKER in answer.wire[0]["model"]
    assert MARKER not in answer.text
    told = {name: answer.response.headers[f"x-homelab-{name}"] for name in ("approach", "calls", "tokens")}
    assert told == {"approach": "re2", "calls": "0", "tokens": "0"}
    assert answer.response.headers["x-homelab-root"]


@IN_THE_LOOP
async def test_no_answer_of_optillm_comes_from_litellms_cache(proxy: MockProxy) -> None:
    """Where LiteLLM answers a model's request twice from one call, each of OptiLLM's is a call."""
    for name, second in (("main", []), ("boost", ["boost"])):
        for sent_to in ([name], second):
            answer = await proxy.chat(name, "the same again")
            assert (answer.status, answer.sent_to) == (200, sent_to), name


@IN_THE_LOOP
async def test_litellm_books_a_root_with_nothing(proxy: MockProxy) -> None:
    """A root's tokens are its children's, which are booked with them; its own account is struck."""
    while not account.booked.empty():
        account.booked.get_nowait()
    await proxy.chat("boost")
    body = {"model": "base", "messages": [{"role": "user", "content": "to be booked"}]}
    await proxy.post("/v1/chat/completions", body, headers=_as("optillm"))
    booked = [await asyncio.wait_for(account.booked.get(), 5) for _ in range(2)]
    assert booked[0] == ("boost", 0)
    assert booked[1][0] == "base"
    assert booked[1][1] > 0


@IN_THE_LOOP
async def test_a_mark_of_a_root_that_has_ended_is_refused(proxy: MockProxy) -> None:
    """A replayed mark opens nothing."""
    marked = (await proxy.chat("boost")).wire[0]["model"]
    mark = marked[marked.index(MARKER) :]
    answer = await proxy.post(
        "/v1/chat/completions", {"model": f"base{mark}", "messages": TEXT}, headers=_as("optillm")
    )
    assert (answer.status, answer.sent_to) == (400, []), answer.text


@IN_THE_LOOP
async def test_optillm_does_not_reach_optillm(proxy: MockProxy) -> None:
    """The key of OptiLLM's calls back leads to internal groups, and to no OptiLLM handle."""
    body = {"model": "boost", "messages": TEXT}
    answer = await proxy.post("/v1/chat/completions", body, headers=_as("optillm"))
    assert (answer.status, answer.error["type"], answer.sent_to) == (400, "loop_detected", [])
    answer = await proxy.post("/v1/chat/completions", {**body, "model": "base"}, headers=_as("optillm"))
    assert (answer.status, answer.sent_to) == (200, ["base"]), answer.text


@IN_THE_LOOP
async def test_a_caller_uses_its_own_handles_and_routes(proxy: MockProxy) -> None:
    """A caller sees and reaches its handles; a metrics key reaches no model; an unknown key nothing."""
    listing = await proxy.get("/v1/models", headers=_as("app"))
    assert [one["id"] for one in listing.json["data"]] == ["boost"]
    path, body = "/v1/chat/completions", {"model": "main", "messages": TEXT}
    asked = {name: await proxy.post(path, body, headers=_as(name)) for name in ("app", "prometheus")}
    assert {name: answer.status for name, answer in asked.items()} == {"app": 404, "prometheus": 403}
    unknown = await proxy.post(path, body, headers={"Authorization": "Bearer sk-somebody"})
    assert (unknown.status, unknown.error["type"]) == (401, "authentication_error")
