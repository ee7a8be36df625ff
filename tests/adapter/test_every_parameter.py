"""Every parameter name of LiteLLM with a hostile value, in every place of a request, through LiteLLM."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from litellm_homelab.adapter.litellm_api import parameters
from litellm_homelab.demo.recorder import RecordedRequest
from litellm_homelab.fields.lists import reviewed
from litellm_homelab.testing import Answer, MockProxy

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTER = Path(__file__).parents[1] / "routers" / "corpus.yaml"
CHAT = "/v1/chat/completions"
HOSTILE = "../../admin/any?x="
BODY: dict[str, Any] = {"model": "main", "messages": [{"role": "user", "content": "hello"}]}
FORM = {"model": "main", "messages": "hello"}
OWN = {"main": "real-main", "rung": "real-rung"}
"""The handle's own backend and the one it falls back to, with their models."""
NAMES = sorted({*parameters.names(), *reviewed().refused, *reviewed().dropped, *reviewed().metadata_refused})

Ask = Callable[[MockProxy, str], Any]
PLACES: dict[str, Ask] = {
    "top level": lambda proxy, name: proxy.post(CHAT, {**BODY, name: HOSTILE}),
    "top level, an object": lambda proxy, name: proxy.post(
        CHAT, {**BODY, name: {"model": "back", "api_base": HOSTILE, "url": "http://127.0.0.1:9"}}
    ),
    "extra_body": lambda proxy, name: proxy.post(CHAT, {**BODY, "extra_body": {name: HOSTILE}}),
    "extra_body twice": lambda proxy, name: proxy.post(
        CHAT, {**BODY, "extra_body": {"extra_body": {name: HOSTILE}}}
    ),
    "metadata": lambda proxy, name: proxy.post(CHAT, {**BODY, "metadata": {name: HOSTILE}}),
    "form": lambda proxy, name: proxy.request("POST", CHAT, data={**FORM, name: HOSTILE}),
    "form, in brackets": lambda proxy, name: proxy.request(
        "POST", CHAT, data={**FORM, f"extra_body[{name}]": HOSTILE}
    ),
    "query": lambda proxy, name: proxy.post(f"{CHAT}?{quote(name)}={quote(HOSTILE)}", BODY),
}
"""How a client may send a name."""
VARIANTS = frozenset({"top level, an object", "extra_body twice", "form, in brackets"})
"""Places that differ from another in their spelling only: every seventh name is enough."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """The corpus' router: a handle with one fallback, and backroom groups."""
    async with MockProxy(ROUTER) as running:
        yield running


def header(name: str) -> str:
    """A name as it may stand in a header; a key that is not ours is another matter, so not by that name."""
    return name.replace("_", "-").lower() if name not in {"api_key", "content"} else "other"


def astray(answer: Answer) -> Iterator[str]:
    """What a request reached beside its handle's own address, key and model."""
    for call in answer.calls:
        model = OWN.get(call.backend)
        sent = call.json if isinstance(call.json, dict) else {}
        if model is None or sent.get("model") != model:
            yield f"backend {call.backend}, model {sent.get('model')!r}"
        if (call.path, call.query) != (CHAT, ""):
            yield f"address {call.path}?{call.query}"
        if call.headers.getlist("authorization") != ["Bearer none"]:
            yield f"key {call.headers.getlist('authorization')}"
        if "admin" in str(call.headers) or steered(call):
            yield f"headers or messages {call.headers} {sent.get('messages')!r}"


def steered(call: RecordedRequest) -> bool:
    """Whether other messages than the client's own went out."""
    return "hello" not in json.dumps((call.json or {}).get("messages"))


@pytest.mark.parametrize("place", PLACES)
async def test_no_parameter_reaches_elsewhere(proxy: MockProxy, place: str) -> None:
    """It is refused, dropped or harmless: what a backend gets has the deployment's address, key and model."""
    found: dict[str, list[str]] = {}
    for name in NAMES[::7] if place in VARIANTS else NAMES:
        if place.startswith("top level") and name in BODY:
            continue  # these are the request itself: other tests send them
        answer = await PLACES[place](proxy, name)
        wrong = list(astray(answer))
        if wrong:
            found[name] = wrong
    assert found == {}
    assert len(NAMES) > 550


@pytest.mark.parametrize("start", ["", "x-litellm-"])
async def test_no_header_reaches_elsewhere(proxy: MockProxy, start: str) -> None:
    """Forty names at a time: none is refused, so that each is either read by LiteLLM or not."""
    for number in range(0, len(NAMES), 40):
        headers = {start + header(name): HOSTILE for name in NAMES[number : number + 40]}
        for refused in ("custom-llm-provider", "x-litellm-model"):  # other tests send them
            headers.pop(refused, None)
        answer = await proxy.post(CHAT, BODY, headers=headers)
        assert (list(astray(answer)), len(answer.calls)) == ([], 1), answer.text
