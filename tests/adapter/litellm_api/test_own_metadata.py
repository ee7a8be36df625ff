"""What leaves as `metadata` is the client's own; nothing that the gateway knows of its clients leaves."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy

ROUTER = Path(__file__).parents[2] / "routers" / "providers.yaml"
CALLER = {"Authorization": "Bearer sk-client-of-providers-0001", "user-agent": "planted-agent"}
PROVIDERS = ("openai", "lm_studio", "mistral", "openrouter", "hosted_vllm", "azure", "ollama")
TEXT = [{"role": "user", "content": "hello"}]
ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/completions": {"prompt": "hello"},
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": TEXT, "max_tokens": 5},
    "/v1beta/interactions": {"input": "hello"},
    "/v1/embeddings": {"input": "hello"},
    "/v1/images/generations": {"prompt": "hello"},
}
MODES = {"/v1/embeddings": "embed", "/v1/images/generations": "image"}
OURS = (
    "user_api_key",
    "client",
    "planted-agent",
    "requester",
    "127.0.0.1",
    "gateway",
    "anything",
    "litellm_",
)
"""What the gateway knows of the client, and what a client may plant in LiteLLM's own metadata."""
IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")


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
@pytest.mark.parametrize("own", [{"mine": "1", "endpoint": "theirs"}, None], ids=["metadata", "none"])
@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_only_the_clients_own_metadata_leaves(
    proxy: MockProxy, provider: str, path: str, own: dict[str, str] | None
) -> None:
    """Whatever the route and the provider, no body has a note of the gateway's in it."""
    extra = {"metadata": own} if own else {}
    body = {"model": f"{provider}-{MODES.get(path, 'chat')}", **ROUTES[path], **extra}
    answer = await proxy.post(path, {**body, "litellm_metadata": {"anything": "x"}}, headers=CALLER)
    for call in answer.calls:
        text = call.content.decode()
        assert not [word for word in OURS if word in text], text
        found = (json.loads(text) if text.startswith("{") else {}).get("metadata") or {}
        assert {key: value for key, value in found.items() if (own or {}).get(key) != value} == {}
