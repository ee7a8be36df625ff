"""What leaves for a model server and what for OptiLLM, cell by cell, on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.optillm.parameters import RELATIVES
from litellm_homelab.optillm.wire import ALWAYS, PASSED_ON
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.lane import CONTENTS, TEXT, document, group, mark_of, proxy_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

FIELD = "optillm_approach"
PROVIDERS = ("openai", "lm_studio", "hosted_vllm")
STEERING: dict[str, dict[str, Any]] = {
    "as it is": {},
    "drop_params": {"drop_params": True},
    "keep_params": {"drop_params": False},
    "additional_drop_params": {"additional_drop_params": [FIELD]},
    "allowed_openai_params": {"allowed_openai_params": [FIELD]},
}
"""What LiteLLM itself knows for letting a field through or not (its table is in the wire's own words)."""
PINS: dict[str, dict[str, Any]] = {
    "extra_body": {"extra_body": {FIELD: "moa", "c": 1}},
    "pinned": {FIELD: "moa"},
}
"""Deployment settings that would send the field without any client."""
PLAIN = {**STEERING, **PINS}
LANES = {name: value for name, value in STEERING.items() if name != "additional_drop_params"}
"""An OptiLLM handle whose own deployment drops the approach stops the start (tests/settings)."""

CLIENTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "top": {FIELD: "re2", "k": 3, "y": 2},
    "extra_body": {"extra_body": {FIELD: "re2", "mcts_depth": 3, "x": 1}},
    "both": {FIELD: "re2", "y": 2, "extra_body": {FIELD: "re2", "x": 1}},
    "no strip": {FIELD: "re2", "y": 2, "additional_drop_params": []},
    "let through": {FIELD: "re2", "y": 2, "allowed_openai_params": [FIELD], "drop_params": False},
    "nothing in extra_body": {FIELD: "re2", "y": 2, "extra_body": None},
}
"""What a client adds to its request: OptiLLM's fields in every place, and fields of its own."""
OF_LANES: dict[str, tuple[dict[str, Any], str | None]] = {
    **{name: (fields, "re2" if name != "nothing" else "moa") for name, fields in CLIENTS.items()},
    "none": ({FIELD: "none"}, None),
    "none in extra_body": ({"extra_body": {FIELD: "none"}}, None),
    "strip": ({FIELD: "re2", "additional_drop_params": [FIELD, "messages"]}, "re2"),
    "drop": ({FIELD: "re2", "drop_params": True}, "re2"),
}
"""What a client sends to an OptiLLM handle with `default: moa`, and the approach that must leave."""
SITUATIONS = ("retry", "fallback", "after OptiLLM")
ROUTES: dict[str, dict[str, Any]] = {
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": TEXT, "max_tokens": 20},
    "/v1/completions": {"prompt": "hello"},
    "generateContent": {"contents": CONTENTS},
}
"""Routes whose request LiteLLM turns into a chat request of its own, and completions."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One request, the attempts it leads to, and what a client's own fields on the last of them must be."""

    id: str
    asked: str
    target: str
    fields: dict[str, Any]
    attempts: tuple[str, ...]
    route: str = "/v1/chat/completions"
    stream: bool = False
    own: dict[str, Any] = field(default_factory=dict)
    approach: str | None = None


def param(cell: Cell) -> Any:
    """The cell as pytest knows it."""
    return pytest.param(cell, id=cell.id)


def name_of(kind: str, provider: str, setting: str) -> str:
    """The group of one deployment of the table."""
    return f"{kind}-{provider}-{setting.replace(' ', '-')}"


def own_fields(fields: dict[str, Any], setting: str) -> dict[str, Any]:
    """The fields of a request that are not OptiLLM's, as LiteLLM sends them."""
    sent = {name: value for name, value in fields.items() if name in {"x", "y"}}
    extra = {**(fields.get("extra_body") or {}), **PLAIN[setting].get("extra_body", {})}
    return sent | {name: value for name, value in extra.items() if name in {"x", "y", "c"}}


def forms(provider: str, *names: str) -> tuple[bool, ...]:
    """Streamed or not: each deployment whole, and one provider's, in turn, streamed too."""
    return (False, True) if PROVIDERS[sum(map(len, names)) % len(PROVIDERS)] == provider else (False,)


def first_attempts() -> Iterator[Any]:
    """Every provider, deployment setting and client."""
    for provider in PROVIDERS:
        for setting in PLAIN:
            name = name_of("plain", provider, setting)
            for client, fields in CLIENTS.items():
                for stream in forms(provider, setting, client):
                    cell_id = f"{provider} {setting} | {client} | {'stream' if stream else 'whole'}"
                    own = own_fields(fields, setting)
                    yield param(Cell(cell_id, name, name, fields, (name,), stream=stream, own=own))


def later_attempts() -> Iterator[Any]:
    """Every deployment setting and situation, the providers in turn."""
    for number, setting in enumerate(PLAIN):
        for place, situation in enumerate(SITUATIONS):
            provider = PROVIDERS[(number + place) % len(PROVIDERS)]
            name = name_of("plain", provider, setting)
            asked = {"retry": name, "fallback": f"to-{name}", "after OptiLLM": f"lane-to-{name}"}[situation]
            for client in ("top", "both"):
                for stream in (False, True):
                    cell_id = (
                        f"{situation} {provider} {setting} | {client} | {'stream' if stream else 'whole'}"
                    )
                    fields = CLIENTS[client]
                    own = own_fields(fields, setting)
                    yield param(Cell(cell_id, asked, name, fields, (asked, name), stream=stream, own=own))


def nested_calls(kind: str, settings: dict[str, Any]) -> Iterator[Any]:
    """Every route that becomes another call within LiteLLM, for every setting, the providers in turn."""
    for place, route in enumerate(ROUTES):
        for number, setting in enumerate(settings):
            provider = PROVIDERS[(number + place) % len(PROVIDERS)]
            name = name_of(kind, provider, setting)
            own = {"x": 1} if route != "generateContent" else {}  # stock LiteLLM drops it there
            for stream in (False, True):
                cell_id = f"{route} {provider} {setting} | {'stream' if stream else 'whole'}"
                fields = CLIENTS["both"]
                yield param(Cell(cell_id, name, name, fields, (name,), route, stream, own, approach="re2"))


def lane_attempts() -> Iterator[Any]:
    """Every provider, setting and client at an OptiLLM handle."""
    for provider in PROVIDERS:
        for setting in LANES:
            name = name_of("lane", provider, setting)
            for client, (fields, approach) in OF_LANES.items():
                for stream in forms(provider, setting, client):
                    cell_id = f"{provider} {setting} | {client} | {'stream' if stream else 'whole'}"
                    yield param(Cell(cell_id, name, name, fields, (name,), stream=stream, approach=approach))


def lane_fallbacks() -> Iterator[Any]:
    """Every OptiLLM deployment as the fallback of a model server that failed."""
    for provider in PROVIDERS:
        for setting in LANES:
            name = name_of("lane", provider, setting)
            asked = f"to-{name}"
            for client in ("top", "extra_body", "both", "nothing"):
                fields, approach = OF_LANES[client]
                for stream in forms(provider, setting, client):
                    cell_id = f"{provider} {setting} | {client} | {'stream' if stream else 'whole'}"
                    yield param(
                        Cell(cell_id, asked, name, fields, (asked, name), stream=stream, approach=approach)
                    )


def router() -> dict[str, Any]:
    """Every deployment of the table, each with a model server and an OptiLLM handle that fail before it."""
    models, lanes, fallbacks = [group("base")], {}, {}
    lane = {"approaches": ["none", "re2", "moa"], "default": "moa", "max_calls": 12}
    for kind, settings in (("plain", PLAIN), ("lane", LANES)):
        for provider in PROVIDERS:
            for setting, params in settings.items():
                name = name_of(kind, provider, setting)
                model = f"{provider}/{'base' if kind == 'lane' else f'real-{name}'}"
                # Two deployments: LiteLLM waits before it retries where there is but one.
                models += [group(name, model, number, **params) for number in (0, 1)]
                models += [group(f"to-{name}", num_retries=0)]
                fallbacks[f"to-{name}"] = [name]
                if kind == "lane":
                    lanes[name] = lane
                else:
                    models += [group(f"lane-to-{name}", "openai/base")]
                    lanes[f"lane-to-{name}"] = lane
                    fallbacks[f"lane-to-{name}"] = [name]
    made = document(models, lanes, fallbacks=fallbacks)
    made["homelab"]["fields"] = dict.fromkeys(("x", "y", "c"), "pass")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """One mocked proxy for the whole matrix."""
    async with proxy_on(tmp_path_factory.mktemp("config"), router()) as running:
        yield running


async def ask(proxy: MockProxy, cell: Cell) -> Answer:
    """Send a cell's request; every attempt but the last meets a backend that fails."""
    for failing in cell.attempts[:-1]:
        proxy.upstream(failing).fails(500, times=1)
    body = {**ROUTES.get(cell.route, {"messages": TEXT}), **cell.fields}
    if cell.route == "generateContent":
        verb = "streamGenerateContent" if cell.stream else "generateContent"
        return await proxy.post(f"/v1beta/models/{cell.asked}:{verb}", body)
    return await proxy.post(
        cell.route, {**body, "model": cell.asked, **({"stream": True} if cell.stream else {})}
    )


def assert_reached(cell: Cell, answer: Answer) -> None:
    """Every attempt went where it should, and the last was answered."""
    assert (answer.status, answer.sent_to) == (200, list(cell.attempts)), answer.text


@pytest.mark.parametrize("cell", [*first_attempts(), *later_attempts(), *nested_calls("plain", PLAIN)])
async def test_none_of_optillms_fields_leave_for_a_model_server(proxy: MockProxy, cell: Cell) -> None:
    """Whatever deployment and client say; the client's other fields arrive."""
    answer = await ask(proxy, cell)
    assert_reached(cell, answer)
    for sent_to, sent in zip(answer.sent_to, answer.wire, strict=True):
        if not sent_to.startswith("lane"):
            assert RELATIVES.isdisjoint(sent), sent_to
            assert RELATIVES.isdisjoint(sent.get("extra_body") or ())
    last = answer.wire[-1]
    assert {name: last.get(name) for name in cell.own} == cell.own


@pytest.mark.parametrize("cell", [*lane_attempts(), *lane_fallbacks(), *nested_calls("lane", LANES)])
async def test_the_approach_leaves_for_optillm_exactly_once(proxy: MockProxy, cell: Cell) -> None:
    """Or not at all with `none`; nothing but known fields leaves beside it, a mark on the model name."""
    answer = await ask(proxy, cell)
    assert_reached(cell, answer)
    sent = answer.wire[-1]
    assert sent.get(FIELD) == cell.approach
    assert answer.calls[-1].content.count(FIELD.encode()) == (cell.approach is not None)
    assert sent.keys() <= {*ALWAYS, *PASSED_ON, "n", "prompt", FIELD}
    assert sent["model"] == f"base{mark_of(sent)}" != "base"
