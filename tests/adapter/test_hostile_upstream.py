"""2,000 answers of an upstream that tells everything, through stock LiteLLM, over every route."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import Answer, MockProxy, Upstream
from tests.answers.hostile import seen
from tests.answers.upstreams import SAID, Poisoner
from tests.real import leaks

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROUTER = Path(__file__).parents[1] / "routers" / "answers.yaml"
TEXT = [{"role": "user", "content": "hello"}]
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
Ask = tuple[str, str, str, dict[str, Any], bool]
"""The handle, what its upstream speaks, the path, the body, and whether it is streamed."""


def _asks() -> dict[str, Ask]:
    chats: dict[str, tuple[str, dict[str, Any]]] = {
        "chat": ("/v1/chat/completions", {"messages": TEXT}),
        "responses": ("/v1/responses", {"input": "hello"}),
        "messages": ("/v1/messages", {"messages": TEXT, "max_tokens": 9}),
        "interactions": ("/v1beta/interactions", {"input": "hello"}),
    }
    found: dict[str, Ask] = {}
    for handle in ("main", "lms", "chain"):
        for name, (path, body) in chats.items():
            for stream in (False, True):
                fields = {**body, "model": handle, **({"stream": True} if stream else {})}
                found[f"{name} {handle} {stream}"] = (handle, "chat", path, fields, stream)
        for verb, stream in (("generateContent", False), ("streamGenerateContent?alt=sse", True)):
            found[f"{verb} {handle}"] = (handle, "chat", f"/v1beta/models/{handle}:{verb}", CONTENTS, stream)
    for stream in (False, True):
        fields = {"model": "main", "prompt": "hello", **({"stream": True} if stream else {})}
        found[f"completions {stream}"] = ("main", "completions", "/v1/completions", fields, stream)
    more: dict[str, tuple[str, str, dict[str, Any]]] = {
        "embed": ("embeddings", "/v1/embeddings", {"input": "hello"}),
        "draw": ("images", "/v1/images/generations", {"prompt": "sky"}),
        "judge": ("moderations", "/v1/moderations", {"input": "hello"}),
        "sort": ("rerank", "/v1/rerank", {"query": "sky", "documents": ["a"]}),
        "hear": ("transcriptions", "/v1/audio/transcriptions", {"response_format": "verbose_json"}),
    }
    for handle, (kind, path, body) in more.items():
        found[kind] = (handle, kind, path, {**body, "model": handle}, False)
    found["search"] = ("search-tools", "search", "/v1/search/web", {"query": "sky"}, False)
    return found


ASKS = _asks()
ENCODED = ("zqorg", "zqmodel", "zq-id")
"""What an id could carry in base64."""
EACH = 2_000 // len(ASKS) + 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """One mocked proxy for all of them."""
    async with MockProxy(ROUTER) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each error, which takes longer than the answer."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def send(proxy: MockProxy, ask: Ask) -> Answer:
    """One request; a transcription is a form."""
    _, kind, path, body, _ = ask
    if kind == "transcriptions":
        return await proxy.request("POST", path, data=body, files={"file": ("a.wav", b"RIFF")})
    return await proxy.post(path, body)


def poison(upstream: Upstream, ask: Ask, poisoner: Poisoner) -> bool:
    """Have the upstream answer; whether it answers well."""
    roll = poisoner.random.random()
    if roll < 0.25:
        status = poisoner.random.choice([400, 401, 404, 429, 500, 502])
        upstream.says(poisoner.failed(), status=status, headers=poisoner.headers())
        return False
    if ask[4]:
        chunks = poisoner.stream(ask[1])
        upstream.says(*chunks, headers=poisoner.headers(), stream=True)
        return b'"message"' not in b"".join(chunks)
    upstream.says(poisoner.whole(ask[1]), headers=poisoner.headers())
    return True


@pytest.mark.parametrize("name", ASKS)
async def test_no_secret_of_an_upstream_leaves(proxy: MockProxy, name: str) -> None:
    """Whole, streamed, failed, failed in mid-stream and after a fallback; what the model said arrives."""
    ask, poisoner = ASKS[name], Poisoner(len(name))
    upstreams = [
        proxy.upstream(group) for group in ({ask[0], "zq-rung-1"} if ask[0] == "chain" else {ask[0]})
    ]
    told: list[str] = []
    answered = 0
    try:
        for number in range(EACH):
            well = [poison(upstream, ask, poisoner) for upstream in upstreams] == [True] * len(upstreams)
            answer = await send(proxy, ask)
            head = "".join(f"{key}: {value}\n" for key, value in answer.response.headers.items())
            words = [*seen(f"{head}{answer.text}"), *leaks.found(answer.response, ENCODED)]
            if words:
                told.append(f"{number}: {words} {answer.status} {head}{answer.text}")
            answered += well and answer.status == 200 and (ask[1] != "chat" or "The sky" in answer.text)
    finally:
        for upstream in upstreams:
            upstream.works()
    assert told == []
    assert answered


async def test_the_model_is_the_handle_everywhere(proxy: MockProxy) -> None:
    """In every body and every event that names one."""
    for name, ask in ASKS.items():
        upstream, poisoner = proxy.upstream(ask[0]), Poisoner(1)
        if ask[4]:
            upstream.says(*poisoner.stream(ask[1], errors=False), stream=True)
        else:
            upstream.says(poisoner.whole(ask[1]))
        answer = await send(proxy, ask)
        upstream.works()
        bodies = answer.events if ask[4] else [answer.json]
        named = {_model(body) for body in bodies} - {None}
        assert named <= {ask[0]}, (name, answer.text)
        assert SAID[:7] in answer.text or ask[1] not in {"chat", "completions"}, (name, answer.text)


def _model(body: dict[str, Any]) -> Any:
    inner: dict[str, Any] = next(
        (body[key] for key in ("response", "message", "interaction") if isinstance(body.get(key), dict)), {}
    )
    return body.get("model") or body.get("modelVersion") or inner.get("model")
