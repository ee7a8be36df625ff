"""Tokens are counted here, for handles that the caller may use; and other names of routes that SDKs build."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.adapter.middleware.other_paths import known
from litellm_homelab.testing import MockProxy
from tests.config import shipped

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID: Any = [{"role": "user", "content": "hello there, how many tokens is this?"}]
CONTENTS = [{"parts": [{"text": "hello there, how many tokens is this?"}]}]
COUNTS: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/messages/count_tokens", {"messages": SAID}, "input_tokens"),
    ("/v1/messages/count_tokens?beta=true", {"messages": SAID, "system": "x", "tools": []}, "input_tokens"),
    ("/v1/responses/input_tokens", {"input": SAID}, "input_tokens"),
    ("/responses/input_tokens", {"input": "hello there, how many tokens is this?"}, "input_tokens"),
    ("/openai/v1/responses/input_tokens", {"input": SAID}, "input_tokens"),
    ("/openai/responses/input_tokens?api-version=1", {"input": SAID}, "input_tokens"),
    ("/v1beta/models/{model}:countTokens", {"contents": CONTENTS}, "totalTokens"),
    ("/v1/models/{model}:countTokens", {"contents": CONTENTS}, "totalTokens"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """The shipped router.yaml."""
    async with MockProxy(shipped.FOLDER / "router.yaml") as running:
        yield running


@pytest.mark.parametrize(("path", "body", "field"), COUNTS)
async def test_tokens_are_counted_without_asking_anyone(
    proxy: MockProxy, path: str, body: dict[str, Any], field: str
) -> None:
    """Nine words and a mark make some ten tokens."""
    for handle in ("main", "boost", "mistral/mistral-small-latest"):
        sent = body if "{model}" in path else {"model": handle, **body}
        answer = await proxy.post(path.replace("{model}", handle), sent)
        assert (answer.status, answer.calls) == (200, ()), answer.text
        assert 8 <= answer.json[field] <= 24


@pytest.mark.parametrize("name", ["boost-base", "openai-gpt4o", "openai/gpt-4o", "nope", "embed", ""])
@pytest.mark.parametrize(("path", "body", "field"), COUNTS[:4])
async def test_no_other_name_is_counted_for(
    proxy: MockProxy, path: str, body: dict[str, Any], field: str, name: str
) -> None:
    """LiteLLM's counters take any name; here a name that is no handle of that kind is refused."""
    answer = await proxy.post(path, {"model": name, **body})
    assert answer.status == (400 if name in {"embed", ""} else 404), answer.text
    assert (answer.calls, answer.json.get("type")) == ((), "error" if "messages" in path else None)
    assert field not in answer.json


async def test_a_count_needs_a_key(proxy: MockProxy) -> None:
    """As every other route does, in the format of its API."""
    headers = {"Authorization": "Bearer wrong"}
    answer = await proxy.post(COUNTS[0][0], {"model": "main", "messages": SAID}, headers=headers)
    assert (answer.status, answer.json["type"], answer.error["type"]) == (
        401,
        "error",
        "authentication_error",
    )
    anthropic = {"Authorization": "", "x-api-key": "sk-mock-proxy"}
    answer = await proxy.post(COUNTS[0][0], {"model": "main", "messages": SAID}, headers=anthropic)
    assert answer.status == 200, answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/openai/responses?api-version=2025-03-01-preview", {"model": "main", "input": "hi"}),
        ("GET", "/openai/models?api-version=1", None),
        ("GET", "/openai/v1/models/main", None),
        ("POST", "/v1/models/main:generateContent", {"contents": CONTENTS}),
        ("POST", "/v1/models/main:streamGenerateContent?alt=sse", {"contents": CONTENTS}),
    ],
)
async def test_paths_that_sdks_build(proxy: MockProxy, method: str, path: str, body: Any) -> None:
    """Azure's and Google's SDKs work with the gateway as their base URL."""
    answer = await proxy.request(method, path, json=body)
    assert answer.status == 200, answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/models/boost-base:generateContent", 404), ("/openai/responses", 404), ("/openai/files", 403)],
)
async def test_another_path_opens_nothing(proxy: MockProxy, path: str, status: int) -> None:
    """A backroom name is refused there, and what no rule sees stays closed."""
    answer = await proxy.post(path, {"model": "boost-base", "input": "hi", "contents": CONTENTS})
    assert (answer.status, answer.calls) == (status, ())


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/openai/responses", "/v1/responses"),
        ("/openai/responses/resp_1/input_items", "/v1/responses/resp_1/input_items"),
        ("/openai/v1/responses", "/openai/v1/responses"),
        ("/openai/v1/audio/speech", "/openai/v1/audio/speech"),
        ("/openai/models", "/v1/models"),
        ("/openai/deployments/main/chat/completions", "/openai/deployments/main/chat/completions"),
        ("/openai/files", "/openai/files"),
        ("/openai/../key/generate", "/openai/../key/generate"),
        ("/v1/models/a/b:countTokens", "/v1beta/models/a/b:countTokens"),
        ("/v1/models/main", "/v1/models/main"),
        ("/v1/chat/completions", "/v1/chat/completions"),
    ],
)
async def test_where_a_path_leads(asked: str, served: str) -> None:
    """Only to routes that LiteLLM serves under another name."""
    assert known(asked) == served
