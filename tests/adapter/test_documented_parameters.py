"""Every documented parameter of an ordinary request on every shipped deployment: at the backend, or known
to be left out."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
import yaml

from litellm_homelab.fields.lists import reviewed
from litellm_homelab.testing import Answer, MockProxy
from tests import versions
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
ROUTINE = (
    *(
        "verbosity",
        "thinking",
        "reasoning_effort",
        "store",
        "prompt_cache_key",
        "service_tier",
        "user",
        "top_p",
    ),
    *(
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "logprobs",
        "parallel_tool_calls",
        "safety_identifier",
    ),
    *("metadata", "tools", "temperature", "max_tokens"),
)
"""What SDKs and agents send on most calls."""
WITH: Mapping[str, Mapping[str, Any]] = {
    "stream_options": {"stream": True},
    "top_logprobs": {"logprobs": True},
    "tool_choice": {"tools": TOOLS},
    "parallel_tool_calls": {"tools": TOOLS},
    "function_call": {"functions": [FUNCTION]},
}
"""What a parameter needs beside it."""
EVERYWHERE = frozenset({"user", "metadata", "thinking"}) | versions.LEFT_OUT_OF_CHATS
"""LiteLLM keeps the first two for its own accounts."""
CLOUD = frozenset(
    {"verbosity", "logprobs", "top_logprobs", "logit_bias", "store", "audio"}
    | {"prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"}
    | {"safety_identifier", "web_search_options", "moderation"}
)
LEFT_OUT: Mapping[str, frozenset[str]] = {
    "local": EVERYWHERE,
    "groq": EVERYWHERE | CLOUD | {"modalities"},
    "gemini": EVERYWHERE | CLOUD | {"service_tier"},
    "mistral": EVERYWHERE
    | (CLOUD - {"prediction", "prompt_cache_key"})
    | {"service_tier", "modalities", "stream_options", "max_completion_tokens", "seed"},
    "openai": (EVERYWHERE | {"reasoning_effort", "verbosity"}) - {"user"},
    "optillm": EVERYWHERE
    | {"stream_options", "verbosity", "modalities", "audio", "service_tier", "prompt_cache_key"}
    | {"prompt_cache_options", "prompt_cache_retention", "safety_identifier", "prediction"}
    | {"moderation", "store"},
}
"""
What a backend of each kind never gets.

Mistral's API has `max_tokens` and `random_seed` for two of them, and always sends the usage of a stream.
OptiLLM gets what its approach `none` passes on (`optillm/wire.py`).
"""
CHATS = tuple(group for group, one in shipped.BY_GROUP.items() if one.info["mode"] == "chat")
KINDS = {
    "groq/llama-3.3-70b-versatile": "groq",
    "gemini/gemini-2.0-flash": "gemini",
    "gemini/gemini-2.5-flash": "gemini",
    "mistral/mistral-small-latest": "mistral",
    "openai-gpt4o": "openai",
    "boost": "optillm",
}
"""Of every chat deployment; the others are `local`."""
THROUGH = {"ollama-qwen": "vllm-qwen", "openai-gpt4o": "vllm-qwen"}
"""The handle whose chain leads to an internal deployment; all rungs but the last fail in these tests."""
OPTILLM_KEY = "sk-the-key-of-optillm"
KEYS = {"boost-base": {"Authorization": f"Bearer {OPTILLM_KEY}"}}
"""Who may ask for it where no client may."""
RENAMED = {"max_completion_tokens": "max_tokens", "seed": "random_seed"}
REFUSED: Mapping[str, Mapping[str, str]] = {
    "mistral": dict.fromkeys(("functions", "function_call"), "not supported by this handle. Remove"),
    "optillm": {"web_search_options": "it is a tool that a server runs"},
}
"""Not dropped, since the client would get an answer without its tools; with what the refusal says."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """The shipped router.yaml with the models of env.example; nothing rests after a failure."""
    folder = tmp_path_factory.mktemp("parameters")
    shutil.copy(shipped.FOLDER / "registry.json", folder)
    router = folder / "router.yaml"
    settings = {**shipped.ROUTER["router_settings"], "disable_cooldowns": True}
    document = {**shipped.ROUTER, "router_settings": settings}
    router.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    models = {name: value for name, value in shipped.ENV.items() if name.endswith(("_MODEL", "_API_BASE"))}
    async with MockProxy(router, {**models, "OPTILLM_UPSTREAM_KEY": OPTILLM_KEY}) as running:
        for rung in ("vllm-qwen", "ollama-qwen"):
            running.upstream(rung).fails(503)
        yield running


def test_the_table_has_every_documented_parameter() -> None:
    """A parameter that OpenAI documents anew fails here until it has been tried."""
    openai = next(one for one in reviewed().documented if one.apis == ("chat",))
    assert openai.fields - {"model", "messages"} <= set(CHAT)


def _alike(group: str) -> tuple[object, ...]:
    """What two deployments have in common of which one is tried parameter by parameter."""
    params = shipped.BY_GROUP[group].params
    lists = [params.get(name) for name in ("allowed_openai_params", "additional_drop_params")]
    return group in THROUGH, group in KEYS, KINDS.get(group, "local"), str(lists)


EACH = tuple({_alike(group): group for group in reversed(CHATS)}.values())
"""One deployment of each kind and of each way to it; the others differ in model, address and time only."""


def test_the_table_has_every_deployment() -> None:
    """A group that router.yaml gets anew is tried too, as a local server unless the table says more."""
    assert set(KINDS) | set(THROUGH) | set(KEYS) <= set(CHATS)
    assert set(KINDS.values()) | {"local"} == set(LEFT_OUT)


@pytest.mark.parametrize("group", EACH)
async def test_every_documented_parameter_is_served(proxy: MockProxy, group: str) -> None:
    """A 200, with the parameter at the backend unless the table says that it is left out."""
    failed: dict[str, str] = {}
    gone: set[str] = set()
    kind = KINDS.get(group, "local")
    for name, value in CHAT.items():
        asked = 1 if (kind, name) == ("optillm", "n") else value  # max_n is 1 there
        answer = await ask(proxy, group, {**WITH.get(name, {}), name: asked})
        if reason := REFUSED.get(kind, {}).get(name):
            assert (answer.status, answer.error["type"]) == (400, "param_not_allowed")
            assert reason in answer.error["message"]
        elif answer.status != 200:
            failed[name] = answer.text
        elif answer.wire[answer.sent_to.index(group)].get(name) != asked:
            gone.add(name)
    assert failed == {}
    assert gone == set(LEFT_OUT[kind])


@pytest.mark.parametrize("group", CHATS)
async def test_what_clients_send_together_is_served(proxy: MockProxy, group: str) -> None:
    """All routine parameters in one request are a 200, and no text of an error tells of `drop_params`."""
    routine = {name: CHAT[name] for name in ROUTINE} | {"n": 1, "stop": "x"}
    answer = await ask(proxy, group, routine)
    assert answer.status == 200, answer.text
    sent = answer.wire[answer.sent_to.index(group)]
    kind = KINDS.get(group, "local")
    expected = set(routine) - LEFT_OUT[kind]
    assert {name for name in expected if sent.get(name) != routine[name]} == set()


async def ask(proxy: MockProxy, group: str, fields: Mapping[str, Any]) -> Answer:
    """One chat that reaches a deployment, whoever may ask for it."""
    body = {"model": THROUGH.get(group, group), "messages": SAID, **fields}
    return await proxy.post("/v1/chat/completions", body, headers=KEYS.get(group, {}))


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
@pytest.mark.parametrize(
    "handle", [*(group for group in EACH if group not in {**THROUGH, **KEYS}), "vllm-qwen"]
)
async def test_other_apis_are_served_with_their_parameters(
    proxy: MockProxy, handle: str, path: str, body: dict[str, Any]
) -> None:
    """Responses and messages become chats: none of their parameters makes that chat a 400."""
    if handle == "vllm-qwen" and "thinking" in body:
        return  # LiteLLM sends it to OpenAI's /v1/responses, which the stand-in has not
    answer = await proxy.post(path, {"model": handle, **body})
    assert answer.status == 200, answer.text
