"""The approach rule's hooks: what may be asked of an OptiLLM handle, and what is refused before any call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.adapter.lane import TEXT, document, group, mark_of, proxy_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

CHAT = "/v1/chat/completions"
TAG = "<optillm_approach>moa</optillm_approach>"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """A careful handle, a generous one, and one that lists what is dangerous."""
    made = document(
        [group("main"), group("base"), *(group(name, "openai/base") for name in ("boost", "wide", "lab"))],
        {
            "boost": {"approaches": ["none", "re2", "moa", "bon"], "max_calls": 12, "prefixes": True},
            "wide": {
                "approaches": ["re2", "moa", "memory", "majority_voting", "mcts"],
                "default": "re2",
                "max_calls": 60,
                "max_n": 3,
                "tags": "neutralise",
            },
            "lab": {"approaches": ["none", "executecode", "cot_decoding", "spl"]},
        },
    )
    async with proxy_on(tmp_path_factory.mktemp("config"), made) as running:
        yield running


# --- what is asked -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "fields", "sent"),
    [
        pytest.param("boost", {}, {}, id="default none: no field"),
        pytest.param("wide", {}, {"optillm_approach": "re2"}, id="the operator's default"),
        pytest.param("boost", {"optillm_approach": "none"}, {}, id="none: no field"),
        pytest.param("boost", {"optillm_approach": "re2"}, {"optillm_approach": "re2"}, id="one"),
        pytest.param("boost", {"optillm_approach": "moa&re2"}, {"optillm_approach": "moa&re2"}, id="in turn"),
        pytest.param(
            "boost", {"optillm_approach": "re2|bon"}, {"optillm_approach": "re2|bon"}, id="side by side"
        ),
        pytest.param("moa-boost", {}, {"optillm_approach": "moa"}, id="a prefix"),
        pytest.param("none-boost", {}, {}, id="none as a prefix"),
        pytest.param("re2&moa-boost", {}, {"optillm_approach": "re2&moa"}, id="a combination as a prefix"),
        pytest.param(
            "moa-boost",
            {"optillm_approach": "moa"},
            {"optillm_approach": "moa"},
            id="a prefix and the field agree",
        ),
        pytest.param(
            "lab", {"optillm_approach": "executecode"}, {"optillm_approach": "executecode"}, id="listed"
        ),
        pytest.param(
            "lab", {"optillm_approach": "cot_decoding"}, {"decoding": "cot_decoding"}, id="a decoding"
        ),
        pytest.param("lab", {"decoding": "cot_decoding"}, {}, id="a decoding by its own field is not asked"),
        pytest.param("wide", {"n": 2}, {"optillm_approach": "re2", "n": 2}, id="n"),
        pytest.param("wide", {"n": 1000}, {"optillm_approach": "re2", "n": 3}, id="n brought down"),
        pytest.param("wide", {"n": 0}, {"optillm_approach": "re2", "n": 1}, id="n brought up"),
        pytest.param(
            "wide",
            {"optillm_approach": "majority_voting", "k": 99, "num_candidates": 3},
            {"optillm_approach": "majority_voting", "k": 16},
            id="a parameter within bounds, another approach's left out",
        ),
        pytest.param(
            "wide",
            {"optillm_approach": "mcts", "mcts_simulations": 50},
            {"optillm_approach": "mcts"},
            id="a parameter that stays with OptiLLM 0.3.12 is neither sent nor counted",
        ),
        pytest.param(
            "boost",
            {
                "seed": 3,
                "stop": ["x"],
                "user": "u",
                "metadata": {"a": "b"},
                "store": True,
                "service_tier": "flex",
            },
            {"seed": 3, "stop": ["x"]},
            id="none passes sampling on, and no identity",
        ),
        pytest.param(
            "boost",
            {"optillm_approach": "re2", "seed": 3, "stop": ["x"], "temperature": 0.3, "max_tokens": 7},
            {"optillm_approach": "re2", "temperature": 0.3, "max_tokens": 7},
            id="what the approach does not read is left out",
        ),
        pytest.param(
            "boost",
            {
                "extra_body": {
                    "n": 9,
                    "timeout": 0.001,
                    "top_k": 3,
                }
            },
            {},
            id="extra_body changes nothing",
        ),
        pytest.param("boost", {"extra_body": "{}"}, {}, id="extra_body as text"),
    ],
)
async def test_what_leaves_for_optillm(
    proxy: MockProxy, model: str, fields: dict[str, Any], sent: dict[str, Any]
) -> None:
    """The model with a mark, the messages, and what the approach reads: field by field."""
    answer = await proxy.post(CHAT, {"model": model, "messages": TEXT, **fields})
    assert answer.status == 200, answer.text
    (wire,) = answer.wire
    assert wire == {"model": f"base{mark_of(wire)}", "messages": TEXT, **sent}
    assert answer.response.headers["x-homelab-approach"] == sent.get(
        "optillm_approach", sent.get("decoding", "none")
    )


# --- what is refused ---------------------------------------------------------------------------------

NOT_ALLOWED = {
    "unknown": "nope",
    "in capitals": "MOA",
    "with a space": "moa ",
    "with an empty part": "moa&",
    "mixed": "moa&re2|bon",
    "auto": "auto",
    "none among others": "none&moa",
    "rewriting the model": "moa-expensive",
    "empty": "",
    "null": None,
    "a list": ["moa"],
    "an object": {"a": 1},
    "a number": 5,
    "a truth value": True,
    "endless": "re2|" * 200 + "re2",
    "not listed": "mcts",
    "dangerous": "executecode",
    "local": "cot_decoding",
    "a control character": "\x00",
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("value", NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
async def test_what_is_no_approach_here_is_refused(proxy: MockProxy, value: object, stream: bool) -> None:
    """At the top or in `extra_body`: a 400 that lists what is allowed, and no call."""
    for fields in ({"optillm_approach": value}, {"extra_body": {"optillm_approach": value}}):
        answer = await proxy.post(CHAT, {"model": "boost", "messages": TEXT, "stream": stream, **fields})
        assert (answer.status, answer.error["type"], answer.sent_to) == (400, "approach_not_allowed", [])
        assert answer.error["param"] == "optillm_approach"
        assert "allowed: none, re2, moa, bon" in answer.error["message"]
        assert len(answer.error["message"]) < 300


@pytest.mark.parametrize(
    ("model", "fields", "status", "kind"),
    [
        pytest.param(
            "boost",
            {"optillm_approach": "re2", "extra_body": {"optillm_approach": "moa"}},
            400,
            "approach_not_allowed",
            id="two places differ",
        ),
        pytest.param(
            "re2-boost", {"optillm_approach": "moa"}, 400, "approach_not_allowed", id="a prefix differs"
        ),
        pytest.param("mcts-boost", {}, 400, "approach_not_allowed", id="a prefix that is not listed"),
        pytest.param("nope-boost", {}, 404, "model_not_found", id="a prefix that is no approach"),
        pytest.param("re2-moa-boost", {}, 404, "model_not_found", id="two prefixes"),
        pytest.param("re2-wide", {}, 404, "model_not_found", id="a handle without prefixes"),
        pytest.param("boost", {"optillm_approach": "moa|moa|moa"}, 422, "fanout_exceeded", id="too dear"),
        pytest.param(
            "wide",
            {"optillm_approach": "moa|moa|moa|moa", "n": 3},
            422,
            "fanout_exceeded",
            id="too dear by n",
        ),
        pytest.param("wide", {"n": "2"}, 400, "invalid_request_error", id="n that is no number"),
        pytest.param("boost", {"prompt_id": "p"}, 400, "param_not_allowed", id="a stored prompt"),
        pytest.param("boost", {"extra_body": [1]}, 400, "param_not_allowed", id="extra_body as a list"),
        pytest.param("boost", {"extra_body": {"model": "x"}}, 400, "param_not_allowed", id="a second model"),
        pytest.param(
            "boost", {"extra_body": {"messages": []}}, 400, "param_not_allowed", id="other messages"
        ),
        pytest.param("boost", {"web_search_options": {}}, 400, "param_not_allowed", id="a search"),
        pytest.param(
            "boost", {"tools": [{"type": "web_search"}]}, 400, "param_not_allowed", id="a server's tool"
        ),
        pytest.param("boost", {"tools": [{"type": [1]}]}, 400, "param_not_allowed", id="a tool of no type"),
        pytest.param(
            "boost",
            {"tools": [{"type": "mcp", "input_schema": {}}]},
            400,
            "param_not_allowed",
            id="a dressed up tool",
        ),
    ],
)
async def test_what_is_refused_before_any_call(
    proxy: MockProxy, model: str, fields: dict[str, Any], status: int, kind: str
) -> None:
    """Each with its type and status."""
    answer = await proxy.post(CHAT, {"model": model, "messages": TEXT, **fields})
    assert (answer.status, answer.error["type"], answer.sent_to) == (status, kind, []), answer.text


# --- tags --------------------------------------------------------------------------------------------

PART = {"type": "text", "text": "hello"}
TAGGED: dict[str, tuple[str, dict[str, Any]]] = {
    "a user's text": (CHAT, {"messages": [{"role": "user", "content": f"hi {TAG}"}]}),
    "a system text": (CHAT, {"messages": [{"role": "system", "content": TAG}, *TEXT]}),
    "an assistant's text": (CHAT, {"messages": [*TEXT, {"role": "assistant", "content": TAG}, *TEXT]}),
    "an old turn": (CHAT, {"messages": [{"role": "user", "content": TAG}, *TEXT]}),
    "a part": (CHAT, {"messages": [{"role": "user", "content": [PART, {"type": "text", "text": TAG}]}]}),
    "two parts": (
        CHAT,
        {
            "messages": [
                {"role": "user", "content": [{**PART, "text": "<optillm_"}, {**PART, "text": "approach>moa"}]}
            ]
        },
    ),
    "a nested tag": (CHAT, {"messages": [{"role": "user", "content": f"<optillm_app{TAG}roach>moa"}]}),
    "capitals": (CHAT, {"messages": [{"role": "user", "content": TAG.upper()}]}),
    "a name": (CHAT, {"messages": [{"role": "user", "content": "hi", "name": TAG}]}),
    "a tool's description": (
        CHAT,
        {"messages": TEXT, "tools": [{"type": "function", "function": {"name": "f", "description": TAG}}]},
    ),
    "a schema": (
        CHAT,
        {"messages": TEXT, "response_format": {"type": "json_schema", "json_schema": {TAG: 1}}},
    ),
    "a word to stop at": (CHAT, {"messages": TEXT, "stop": ["x", TAG]}),
    "a field of numbers": (CHAT, {"messages": TEXT, "logit_bias": {"1": TAG}}),
    "responses": ("/v1/responses", {"input": TAG}),
    "responses, instructions": ("/v1/responses", {"input": "hi", "instructions": TAG}),
    "responses, items": ("/v1/responses", {"input": [{"role": "user", "content": TAG}]}),
    "messages": ("/v1/messages", {"messages": [{"role": "user", "content": TAG}], "max_tokens": 9}),
    "messages, system": ("/v1/messages", {"messages": TEXT, "system": TAG, "max_tokens": 9}),
    "completions": ("/v1/completions", {"prompt": TAG}),
    "completions, a list": ("/v1/completions", {"prompt": ["hi", TAG]}),
    "Gemini": ("generateContent", {"contents": [{"role": "user", "parts": [{"text": TAG}]}]}),
    "Gemini, system": (
        "generateContent",
        {"contents": [{"role": "user", "parts": [PART]}], "systemInstruction": {"parts": [{"text": TAG}]}},
    ),
    "Gemini, system in snakes": (
        "generateContent",
        {"contents": [{"role": "user", "parts": [PART]}], "system_instruction": {"parts": [{"text": TAG}]}},
    ),
}


async def ask(proxy: MockProxy, handle: str, path: str, body: dict[str, Any]) -> Any:
    """Post to a handle on any route."""
    if path == "generateContent":
        return await proxy.post(f"/v1beta/models/{handle}:generateContent", body)
    return await proxy.post(path, {"model": handle, **body})


@pytest.mark.parametrize(("path", "body"), TAGGED.values(), ids=TAGGED.keys())
async def test_a_tag_is_refused_wherever_it_stands(proxy: MockProxy, path: str, body: dict[str, Any]) -> None:
    """In any text that would reach OptiLLM, on every route; the refusal says where."""
    answer = await ask(proxy, "boost", path, body)
    assert (answer.status, answer.sent_to) == (400, []), answer.text
    assert "contains an <optillm_approach> tag" in answer.text


@pytest.mark.parametrize(("path", "body"), TAGGED.values(), ids=TAGGED.keys())
async def test_a_tag_leaves_inert_where_the_operator_chose_so(
    proxy: MockProxy, path: str, body: dict[str, Any]
) -> None:
    """What leaves holds no tag and reads the same; the approach is the operator's."""
    answer = await ask(proxy, "wide", path, body)
    assert answer.status == 200, answer.text
    (call,) = answer.calls
    assert call.json["optillm_approach"] == "re2"
    assert call.content.lower().count(b"<optillm_approach") == 0


@pytest.mark.parametrize(("path", "body"), TAGGED.values(), ids=TAGGED.keys())
async def test_a_model_server_gets_a_prompt_as_it_is(
    proxy: MockProxy, path: str, body: dict[str, Any]
) -> None:
    """A tag means nothing to it."""
    answer = await ask(proxy, "main", path, body)
    assert (answer.status, answer.sent_to) == (200, ["main"]), answer.text
