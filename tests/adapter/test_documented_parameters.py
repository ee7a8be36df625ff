"""Every documented parameter of an ordinary request on every shipped deployment: at the backend, or known
to be left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.fields.lists import reviewed
from litellm_homelab.testing import MockProxy
from tests.config import shipped

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID: Any = [{"role": "user", "content": "hello"}]
FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "function": FUNCTION}]
CHAT: Mapping[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.9,
    "n": 2,
    "max_tokens": 5,
    "max_completion_tokens": 5,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "logprobs": True,
    "top_logprobs": 2,
    "seed": 1,
    "stop": ["x"],
    "user": "u",
    "stream": True,
    "stream_options": {"include_usage": True},
    "tools": TOOLS,
    "tool_choice": "auto",
    "functions": [FUNCTION],
    "function_call": "auto",
    "parallel_tool_calls": True,
    "store": False,
    "response_format": {"type": "json_object"},
    "reasoning_effort": "high",
    "verbosity": "low",
    "logit_bias": {"1": 1},
    "modalities": ["text"],
    "audio": {"voice": "a", "format": "wav"},
    "service_tier": "auto",
    "prompt_cache_key": "k",
    "prompt_cache_retention": "24h",
    "prompt_cache_options": {"ttl": "1h"},
    "safety_identifier": "s",
    "metadata": {"topic": "x"},
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {},
    "moderation": {"type": "auto"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
"""OpenAI's parameters of a chat with a value that each may have, and Anthropic's that clients add to it."""
WITH: Mapping[str, Mapping[str, Any]] = {
    "stream_options": {"stream": True},
    "top_logprobs": {"logprobs": True},
    "tool_choice": {"tools": TOOLS},
    "parallel_tool_calls": {"tools": TOOLS},
    "function_call": {"functions": [FUNCTION]},
}
"""What a parameter needs beside it."""
EVERYWHERE = frozenset({"user", "metadata", "prompt_cache_retention", "thinking"})
"""LiteLLM keeps the first two for its own accounts, and does not know the third (1.106.2)."""
CLOUD = frozenset(
    {"verbosity", "logprobs", "top_logprobs", "logit_bias", "store", "audio"}
    | {"prediction", "prompt_cache_key", "prompt_cache_options", "safety_identifier"}
    | {"web_search_options", "moderation"}
)
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "main": EVERYWHERE,
    "groq/llama-3.3-70b-versatile": EVERYWHERE | CLOUD | {"modalities"},
    "gemini/gemini-2.5-flash": EVERYWHERE | CLOUD | {"service_tier"},
    "mistral/mistral-small-latest": EVERYWHERE
    | (CLOUD - {"prediction", "prompt_cache_key"})
    | {"service_tier", "modalities", "stream_options", "max_completion_tokens", "seed"},
    "vllm-qwen": (EVERYWHERE | {"reasoning_effort", "verbosity"}) - {"user"},
}
"""
By handle; of `vllm-qwen` what does not reach its last rung, OpenAI's.

Mistral's API has `max_tokens` and `random_seed` for two of them, and always sends the usage of a stream.
"""
RENAMED = {"max_completion_tokens": "max_tokens", "seed": "random_seed"}
REFUSED: Mapping[str, frozenset[str]] = {
    "mistral/mistral-small-latest": frozenset({"functions", "function_call"})
}
"""Not dropped, since the client would get an answer without its tools."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """The shipped router.yaml with the models of env.example."""
    models = {name: value for name, value in shipped.ENV.items() if name.endswith(("_MODEL", "_API_BASE"))}
    async with MockProxy(shipped.FOLDER / "router.yaml", models) as running:
        for rung in ("vllm-qwen", "ollama-qwen"):
            running.upstream(rung).fails(503)
        yield running


def test_the_table_has_every_documented_parameter() -> None:
    """A parameter that OpenAI documents anew fails here until it has been tried."""
    openai = next(one for one in reviewed().documented if one.apis == ("chat",))
    assert openai.fields - {"model", "messages"} <= set(CHAT)


@pytest.mark.parametrize("handle", LEFT_OUT)
async def test_every_documented_parameter_is_served(proxy: MockProxy, handle: str) -> None:
    """A 200, with the parameter at the backend unless the table says that it is left out."""
    failed: dict[str, str] = {}
    gone: set[str] = set()
    refused = REFUSED.get(handle, frozenset())
    for name, value in CHAT.items():
        body = {"model": handle, "messages": SAID, **WITH.get(name, {}), name: value}
        answer = await proxy.post("/v1/chat/completions", body)
        if name in refused:
            assert (answer.status, answer.error["type"]) == (400, "param_not_allowed")
            assert "not supported by this handle. Remove" in answer.error["message"]
        elif answer.status != 200:
            failed[name] = answer.text
        elif answer.wire[-1].get(name) != value:
            gone.add(name)
    assert failed == {}
    assert gone == set(LEFT_OUT[handle])


async def test_the_parameters_of_embeddings_arrive(proxy: MockProxy) -> None:
    """`dimensions` too: without it the client gets vectors of another length than it has asked for."""
    for name, value in {"dimensions": 64, "encoding_format": "float", "user": "u"}.items():
        answer = await proxy.post("/v1/embeddings", {"model": "embed", "input": "x", name: value})
        assert (answer.status, answer.wire[-1][name]) == (200, value), answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "hello", "text": {"verbosity": "low"}, "store": False}),
        ("/v1/responses", {"input": "hello", "service_tier": "auto", "prompt_cache_key": "k"}),
        ("/v1/responses", {"input": "hello", "top_logprobs": 2, "safety_identifier": "s"}),
        ("/v1/responses", {"input": "hello", "truncation": "auto", "reasoning": {"effort": "high"}}),
        ("/v1/messages", {"messages": SAID, "max_tokens": 9, "thinking": CHAT["thinking"]}),
        ("/v1/messages", {"messages": SAID, "max_tokens": 9, "top_k": 5, "service_tier": "auto"}),
    ],
)
@pytest.mark.parametrize("handle", LEFT_OUT)
async def test_other_apis_are_served_with_their_parameters(
    proxy: MockProxy, handle: str, path: str, body: dict[str, Any]
) -> None:
    """Responses and messages become chats: none of their parameters makes that chat a 400."""
    if handle == "vllm-qwen" and "thinking" in body:
        return  # LiteLLM sends it to OpenAI's /v1/responses, which the stand-in has not
    answer = await proxy.post(path, {"model": handle, **body})
    assert answer.status == 200, answer.text
