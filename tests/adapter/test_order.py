"""The plugin may be anywhere in the list of callbacks, and twice: the answers are the same."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.optillm import lineage
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.lane import (
    CALLBACKS,
    CALLERS,
    CONTENTS,
    ELSEWHERE,
    KEYS,
    TEXT,
    document,
    group,
    mark_of,
    proxy_on,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

SECRET = "the-secret-of-this-test"
CHAT = "/v1/chat/completions"
TAG = [{"role": "user", "content": "<optillm_approach>moa</optillm_approach> hello"}]
FORGED = f"base{lineage.MARKER}{'a' * 56}"
CHILD = {"model": "base{mark}", "messages": TEXT}

REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "plain": ("app", CHAT, {"model": "main", "messages": TEXT, "optillm_approach": "re2"}),
    "plain, streamed": ("app", CHAT, {"model": "main", "messages": TEXT, "stream": True}),
    "default": ("app", CHAT, {"model": "boost", "messages": TEXT}),
    "approach": ("app", CHAT, {"model": "boost", "messages": TEXT, "optillm_approach": "re2", "x": 1}),
    "approach, streamed": (
        "app",
        CHAT,
        {"model": "boost", "messages": TEXT, "optillm_approach": "re2", "stream": True},
    ),
    "prefix": ("app", CHAT, {"model": "re2-boost", "messages": TEXT}),
    "responses": ("app", "/v1/responses", {"model": "boost", "input": "hello", "optillm_approach": "re2"}),
    "messages": ("app", "/v1/messages", {"model": "boost", "messages": TEXT, "max_tokens": 9}),
    "Gemini": ("app", "/v1beta/models/re2-boost:generateContent", {"contents": CONTENTS}),
    "completions": ("app", "/v1/completions", {"model": "boost", "prompt": "hello"}),
    "fallback": ("app", CHAT, {"model": "chain", "messages": TEXT, "optillm_approach": "re2"}),
    "unknown name": ("app", CHAT, {"model": "nowhere", "messages": TEXT}),
    "internal name": ("app", CHAT, {"model": "base", "messages": TEXT}),
    "unknown approach": ("app", CHAT, {"model": "boost", "messages": TEXT, "optillm_approach": "nope"}),
    "too dear": ("app", CHAT, {"model": "boost", "messages": TEXT, "optillm_approach": "moa&moa"}),
    "tag": ("app", CHAT, {"model": "boost", "messages": TAG}),
    "tag made inert": ("app", CHAT, {"model": "soft", "messages": TAG}),
    "wrong mode": ("app", "/v1/embeddings", {"model": "boost", "input": "hello"}),
    "fallbacks of the client": ("app", CHAT, {"model": "boost", "messages": TEXT, "fallbacks": ["base"]}),
    "two things wrong": ("app", CHAT, {"model": "nowhere", "messages": TAG, "fallbacks": ["base"]}),
    "forged mark": ("optillm", CHAT, {"model": FORGED, "messages": TEXT}),
    "forged mark of a stranger": ("app", CHAT, {"model": FORGED, "messages": TAG}),
    "child of no root": ("optillm", CHAT, CHILD),
    "OptiLLM's own call": ("optillm", CHAT, {"model": "base", "messages": TEXT}),
    "re-entry": ("optillm", CHAT, {"model": "boost", "messages": TAG}),
    "re-entry by a prefix": ("optillm", CHAT, {"model": "re2-boost", "messages": TEXT}),
    "re-entry by a fallback": ("optillm", CHAT, {"model": "chain", "messages": TEXT}),
}


def router(callbacks: tuple[str, ...]) -> dict[str, Any]:
    """Two OptiLLM handles, and a model server that always fails and falls back to one."""
    models = [group("main"), group("base"), group("boost", "openai/base"), group("soft", "openai/base")]
    lane = {"approaches": ["none", "re2", "moa"], "max_calls": 6, "prefixes": True}
    made = document(
        [*models, group("chain", num_retries=0)],
        {"boost": lane, "soft": {**lane, "tags": "neutralise"}},
        fallbacks={"chain": ["boost"]},
        callers={**CALLERS, "app": {"key": KEYS["app"]}},
        callbacks=callbacks,
    )
    made["homelab"]["secret"] = SECRET
    return made


def told(answer: Answer) -> tuple[Any, ...]:
    """What must not depend on the order: what the client is told, and what left for whom."""
    headers = {
        name: value for name, value in answer.response.headers.items() if name.startswith("x-homelab-")
    }
    root = headers.pop("x-homelab-root", None)
    wire = [
        {**sent, "model": sent["model"].replace(mark_of(sent), "@MARK") if mark_of(sent) else sent["model"]}
        for sent in answer.wire
    ]
    said = answer.json if answer.status >= 400 else None
    return answer.status, said, root is not None, headers, answer.sent_to, wire


async def answers(folder: Path, callbacks: tuple[str, ...]) -> dict[str, tuple[Any, ...]]:
    """Every request of the table, asked with this list of callbacks."""
    async with proxy_on(folder, router(callbacks)) as proxy:
        proxy.upstream("chain").fails(500)
        return {name: await asked(proxy, *request) for name, request in REQUESTS.items()}


async def asked(proxy: MockProxy, caller: str, path: str, body: dict[str, Any]) -> tuple[Any, ...]:
    """One request."""
    mark = lineage.mint(SECRET, "ab" * lineage.ROOT_BYTES, 1, time.time() + 60)
    filled = {**body, "model": body["model"].format(mark=mark)} if "model" in body else body
    return told(await proxy.post(path, filled, headers={"Authorization": f"Bearer {KEYS[caller]}"}))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, ...]]:
    """The answers where the plugin is alone in the list."""
    return await answers(tmp_path_factory.mktemp("config"), CALLBACKS)


@pytest.mark.parametrize("order", ELSEWHERE, ids=" ".join)
async def test_the_order_of_the_callbacks_does_not_matter(
    tmp_path: Path, shipped: dict[str, tuple[Any, ...]], order: tuple[str, ...]
) -> None:
    """What the client is told, what leaves, and for whom, is the same wherever the plugin is listed."""
    found = await answers(tmp_path, order)
    assert {name: one for name, one in found.items() if one != shipped[name]} == {}


async def test_the_table_has_answers_of_every_kind(shipped: dict[str, tuple[Any, ...]]) -> None:
    """A table of refusals alone, or of none, would say nothing about the order."""
    assert {status for status, *_ in shipped.values()} == {200, 400, 404, 422}
