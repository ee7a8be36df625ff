"""The plugin may be anywhere in the list of callbacks, and twice: each hook runs once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.adapter.lane import CALLBACKS, ELSEWHERE, TEXT, document, group, key_of, mark_of, proxy_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDERS = (CALLBACKS, *ELSEWHERE)
CHAT = "/v1/chat/completions"
TAG = "<optillm_approach>moa</optillm_approach>"
ANSWERS: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "a model server": ({"model": "main"}, (200, "")),
    "OptiLLM": ({"model": "boost", "optillm_approach": "re2"}, (200, "")),
    "a prefix": ({"model": "moa-boost"}, (200, "")),
    "an unknown name": ({"model": "nowhere"}, (404, "model_not_found")),
    "a prefix that is not taken": ({"model": "moa-main"}, (404, "model_not_found")),
    "an internal name": ({"model": "base"}, (404, "model_not_found")),
    "an approach not listed": ({"model": "boost", "optillm_approach": "mcts"}, (400, "approach_not_allowed")),
    "a prefix not listed": ({"model": "mcts-boost"}, (400, "approach_not_allowed")),
    "too many calls": ({"model": "boost", "optillm_approach": "bon"}, (422, "fanout_exceeded")),
    "a tag": (
        {"model": "boost", "messages": [{"role": "user", "content": TAG}]},
        (400, "approach_in_prompt"),
    ),
    "a forged mark": ({"model": "boost@homelab.mine"}, (400, "param_not_allowed")),
    "a forged mark on a hidden name": ({"model": "base@homelab.mine"}, (400, "param_not_allowed")),
}
"""Requests of a client with the status and type of each answer, empty for a good one."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=ORDERS, ids=",".join)
async def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MockProxy]:
    """The mocked proxy with its callbacks in one of these orders."""
    lane = {"approaches": ["none", "re2", "moa", "bon"], "max_calls": 6, "prefixes": True}
    models = [group("main"), group("base"), group("boost", "openai/base")]
    made = document(models, {"boost": lane}, callbacks=request.param)
    async with proxy_on(tmp_path_factory.mktemp("order"), made) as running:
        yield running


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("body", "expected"), [pytest.param(*one, id=what) for what, one in ANSWERS.items()])
async def test_every_order_gives_the_same_answer(
    proxy: MockProxy, body: dict[str, Any], expected: tuple[int, str], stream: bool
) -> None:
    """What is refused, and with which words, does not depend on who looks first."""
    answer = await proxy.post(CHAT, {"messages": TEXT, "stream": stream, **body})

    kind = "" if answer.status == 200 else answer.error["type"]
    assert (answer.status, kind) == expected, answer.text
    assert len(answer.sent_to) == (answer.status == 200)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_every_order_knows_children_and_loops(proxy: MockProxy, stream: bool) -> None:
    """A child is admitted, a return refused, a later child too, and the client is told."""
    upstream = proxy.upstream("boost")
    before = len(upstream.requests)
    release = upstream.holds()
    root = asyncio.ensure_future(
        proxy.post(CHAT, {"model": "boost", "messages": TEXT, "optillm_approach": "moa", "stream": stream})
    )
    while len(upstream.requests) == before and not root.done():
        await asyncio.wait({root}, timeout=0.005)
    mark = mark_of(upstream.requests[-1].json)

    async def child(model: str) -> tuple[int, str]:
        answer = await proxy.post(CHAT, {"model": model + mark, "messages": TEXT}, headers=key_of("optillm"))
        return answer.status, "" if answer.status == 200 else answer.error["type"]

    try:
        children = [await child(name) for name in ("base", "boost", "base")]
    finally:
        release.set()
    assert children == [(200, ""), (400, "loop_detected"), (400, "loop_detected")]
    answer = await root
    assert (answer.status, answer.error["type"]) == (508, "loop_detected"), answer.text
