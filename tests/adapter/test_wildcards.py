"""Wildcard groups and names with `:`, `@` and `+`, through stock LiteLLM in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from litellm_homelab.testing import MockProxy

ROUTER = Path(__file__).parents[1] / "routers" / "wildcards.yaml"


@pytest.fixture
async def proxy() -> AsyncIterator[MockProxy]:
    """The gateway on the wildcard router."""
    async with MockProxy(ROUTER) as running:
        yield running


CHATS = [
    ("ollama/qwen2.5:7b", "ollama/*", "qwen2.5:7b"),
    ("qwen2.5:7b", "qwen2.5:7b", "qwen2.5:7b"),
    ("deepseek-r1:free", "deepseek-r1:free", "deepseek/deepseek-r1:free"),
    ("mlx-community/Qwen3-4B", "mlx-community/Qwen3-4B", "mlx-community/Qwen3-4B"),
    ("openai/gpt-4o", "openai/*", "gpt-4o"),
    ("openai/gpt-4o-mini", "openai/*", "gpt-4o-mini"),
    ("local/phi+tools@q4", "local/*", "phi+tools@q4"),
]


@pytest.mark.parametrize(("handle", "group", "model"), CHATS, ids=[one[0] for one in CHATS])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_name_reaches_its_own_model(
    proxy: MockProxy, handle: str, group: str, model: str, *, stream: bool
) -> None:
    """The deployment of the wildcard is sent the concrete model, and the answer bears the handle's name."""
    answer = await proxy.chat(handle, stream=stream)
    assert answer.status == 200, answer.text
    assert answer.sent_to == [group]
    assert [sent["model"] for sent in answer.wire] == [model]


@pytest.mark.parametrize(
    "name",
    ["openai/anything-else", "openai/*", "*", "ollama/*", "ollama/spare:1b", "local/gpt-4o", "gpt-4o-mini"],
)
async def test_what_is_not_a_name_of_the_showroom_is_not_found(proxy: MockProxy, name: str) -> None:
    """A wildcard opens nothing by itself: other names below it, and itself, are as unknown as any."""
    answer = await proxy.chat(name)
    assert (answer.status, answer.error["type"]) == (404, "model_not_found")
    assert answer.sent_to == []


async def test_listings_have_the_names_and_no_wildcard(proxy: MockProxy) -> None:
    """Handles in their order, each once; neither hidden names nor wildcards."""
    listed = [one["id"] for one in (await proxy.get("/v1/models")).json["data"]]
    assert listed == [
        "ollama/qwen2.5:7b",
        "qwen2.5:7b",
        "deepseek-r1:free",
        "mlx-community/Qwen3-4B",
        "openai/gpt-4o",
        "openai/text-embedding-3-small",
        "local/phi+tools@q4",
    ]
    for path in ("/v1/model/info", "/model/info", "/model_group/info"):
        assert "*" not in (await proxy.get(path)).text, path


@pytest.mark.parametrize("handle", ["qwen2.5:7b", "openai/gpt-4o", "local/phi+tools@q4"])
@pytest.mark.parametrize("written", [str, lambda name: quote(name, safe="")], ids=["plain", "escaped"])
async def test_one_model_is_shown_by_its_name(proxy: MockProxy, handle: str, written: object) -> None:
    """GET /v1/models/{name} finds a name with a slash, a colon, an at sign or a plus."""
    answer = await proxy.get(f"/v1/models/{written(handle)}")  # type: ignore[operator]
    assert (answer.status, answer.json["id"]) == (200, handle)


async def test_a_wildcards_name_fails_over_to_another(proxy: MockProxy) -> None:
    """Fallbacks lead from one concrete name to the next, and to no other."""
    proxy.upstream("local/*").fails(500)
    proxy.upstream("openai/*").fails(500)
    answer = await proxy.chat("local/phi+tools@q4")
    assert answer.status == 200, answer.text
    assert answer.sent_to == ["local/*", "openai/*", "ollama/*"]
    assert [sent["model"] for sent in answer.wire] == ["phi+tools@q4", "gpt-4o", "spare:1b"]
    assert answer.json["model"] == "local/phi+tools@q4"


async def test_an_embedding_model_below_a_wildcard_serves_embeddings(proxy: MockProxy) -> None:
    """Without a mode in router.yaml LiteLLM's own list of models says what a model is."""
    body = {"model": "openai/text-embedding-3-small", "input": "hello"}
    answer = await proxy.post("/v1/embeddings", body)
    assert answer.status == 200, answer.text
    refused = await proxy.chat("openai/text-embedding-3-small")
    assert refused.status == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "hello"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 9}),
        ("/v1/completions", {"prompt": "hello"}),
    ],
    ids=["responses", "messages", "completions"],
)
async def test_the_other_apis_reach_the_concrete_model_too(
    proxy: MockProxy, path: str, body: dict[str, object]
) -> None:
    """LiteLLM's nested calls name the model without its provider; it is the name's all the same."""
    answer = await proxy.post(path, {"model": "ollama/qwen2.5:7b", **body})
    assert answer.status == 200, answer.text
    assert [sent["model"] for sent in answer.wire] == ["qwen2.5:7b"]


async def test_errors_say_nothing_of_what_stands_behind(proxy: MockProxy) -> None:
    """An upstream's error names the handle, not the wildcard's model."""
    proxy.upstream("local/*").fails(400)
    proxy.upstream("openai/*").fails(400)
    text = (await proxy.chat("local/phi+tools@q4")).text
    assert "local.invalid" not in text
    assert "openai/phi" not in text


async def test_the_log_misses_no_wildcard_group(proxy: MockProxy, caplog: pytest.LogCaptureFixture) -> None:
    """LiteLLM's router has it, though no request is for its own name."""
    assert (await proxy.chat("ollama/qwen2.5:7b")).status == 200
    assert "has left out" not in caplog.text
