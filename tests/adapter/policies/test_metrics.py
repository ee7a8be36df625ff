"""What is counted of a request: each thing once, on every route, whatever the client sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from litellm_homelab.adapter.middleware.response_recorder import has_text
from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.testing import Answer, MockProxy
from tests.adapter.counts import changes, samples
from tests.adapter.lane import (
    CALLERS,
    CONTENTS,
    KEYS,
    TEXT,
    document,
    group,
    key_of,
    mark_of,
    proxy_on,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = "/v1/chat/completions"
LANE = {"approaches": ["none", "re2", "moa", "bon"], "max_calls": 3}
TAG = "<optillm_approach>moa</optillm_approach>"


def router() -> dict[str, Any]:
    """A handle with a rung, one that falls back to OptiLLM, and two OptiLLM handles."""
    models = [group("main"), group("rung"), group("chain", num_retries=0)]
    models += [group("boost", "openai/base"), group("soft", "openai/base"), group("base")]
    made = document(
        models,
        {"boost": LANE, "soft": {**LANE, "tags": "neutralise"}},
        internal=("base", "rung"),
        fallbacks={"main": ["rung"], "chain": ["boost"]},
        callers={
            **CALLERS,
            "app": {"key": KEYS["app"], "handles": ["main", "boost"]},
            "prometheus": {"key": KEYS["prometheus"], "role": "metrics"},
        },
        # First, so that it must not matter that others refuse after it.
    )
    made["homelab"]["limits"] = {"body_mb": 1}
    made["router_settings"]["num_retries"] = 0
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """The mocked proxy with the metrics on."""
    async with proxy_on(tmp_path_factory.mktemp("config"), router()) as running:
        yield running


def chat(model: str, **fields: object) -> tuple[str, dict[str, Any]]:
    """A chat request."""
    return CHAT, {"model": model, "messages": TEXT, **fields}


ROUTES = {
    "chat": chat("main"),
    "completions": ("/v1/completions", {"model": "main", "prompt": "hello"}),
    "responses": ("/v1/responses", {"model": "main", "input": "hello"}),
    "messages": ("/v1/messages", {"model": "main", "messages": TEXT, "max_tokens": 20}),
}


def asked(route: str, stream: bool, handle: str = "main") -> tuple[str, dict[str, Any]]:
    """A request to a handle on a route."""
    if route == "generate":
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return f"/v1beta/models/{handle}:{verb}", {"contents": CONTENTS}
    path, body = ROUTES[route]
    return path, {**body, "model": handle, **({"stream": True} if stream else {})}


BROKEN = ("completions", True)
"""Where LiteLLM does not fall back: a stream of completions fails when it is read (measured on 1.106.2)."""
WAYS = [
    pytest.param(route, stream, id=f"{route}-{'streamed' if stream else 'whole'}")
    for route in (*ROUTES, "generate")
    for stream in (False, True)
    if (route, stream) != BROKEN
]


# --- attempts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", [*ROUTES, "generate"])
async def test_an_attempt_counts_once(proxy: MockProxy, route: str, stream: bool) -> None:
    """However often LiteLLM calls the hooks of an attempt; a stream also tells its first text."""
    with changes() as seen:
        answer = await proxy.post(*asked(route, stream))
    assert answer.status == 200, answer.text
    first = {"first_token_seconds_count{main}": 1} if stream else {}
    assert seen == {"attempts_total{main,main,answered}": 1, **first}


@pytest.mark.parametrize(("route", "stream"), WAYS)
async def test_each_rung_counts_once(proxy: MockProxy, route: str, stream: bool) -> None:
    """The first rung's failure, the second's answer, and the time in between."""
    proxy.upstream("main").fails(500, times=1)
    with changes() as seen:
        answer = await proxy.post(*asked(route, stream))
    assert (answer.status, answer.sent_to) == (200, ["main", "rung"]), answer.text
    assert seen == {
        "attempts_total{main,main,failed}": 1,
        "attempts_total{main,rung,answered}": 1,
        "failover_seconds_count{main}": 1,
        **({"first_token_seconds_count{main}": 1} if stream else {}),
    }


@pytest.mark.parametrize(("route", "stream"), WAYS)
async def test_a_chain_that_fails_to_its_end_lost_no_time_to_an_answer(
    proxy: MockProxy, route: str, stream: bool
) -> None:
    """Two failures, no answer, no first text."""
    for rung in ("main", "rung"):
        proxy.upstream(rung).fails(500, times=1)
    with changes() as seen:
        answer = await proxy.post(*asked(route, stream))
    assert answer.status >= 500, answer.text
    assert seen == {"attempts_total{main,main,failed}": 1, "attempts_total{main,rung,failed}": 1}


async def test_a_stream_that_breaks_is_a_failure(proxy: MockProxy) -> None:
    """LiteLLM tells it to the stream's hooks alone."""
    proxy.upstream("main").fails(500, times=1)
    with changes() as seen:
        await proxy.post(*asked(*BROKEN))
    assert seen == {"attempts_total{main,main,failed}": 1}


# --- refusals --------------------------------------------------------------------------------------


def fails(name: str) -> dict[str, str]:
    """The header of a key that nobody has, or of a caller's."""
    return {"Authorization": "Bearer sk-nobody"} if name == "nobody" else key_of(name)


@pytest.mark.parametrize(
    ("caller", "request_", "expected"),
    [
        pytest.param("nobody", chat("main"), ["gate,authentication_error,other,other"], id="unknown key"),
        pytest.param("prometheus", chat("main"), ["gate,route_not_allowed,other,prometheus"], id="route"),
        pytest.param("app", ("/model/new", {}), ["gate,route_not_allowed,other,app"], id="management route"),
        pytest.param("app", (CHAT, [1]), ["edge,invalid_request_error,other,app"], id="no object"),
        pytest.param("app", chat("x" * 2**20), ["edge,body_too_large,other,app"], id="too large"),
        pytest.param("app", chat("chain"), ["showroom,model_not_found,other,app"], id="another's handle"),
        pytest.param("app", chat("base"), ["showroom,model_not_found,other,app"], id="internal name"),
        pytest.param("app", chat("<b>"), ["showroom,model_not_found,other,app"], id="no name at all"),
        pytest.param(
            "app", chat("main", fallbacks=["base"]), ["fields,param_not_allowed,main,app"], id="field"
        ),
        pytest.param(
            "optillm",
            chat("boost"),
            ["loop_guard,loop_detected,boost,optillm", "loops"],
            id="OptiLLM's return",
        ),
        pytest.param(
            "app", chat(f"main{MARKER}forged"), ["loop_guard,param_not_allowed,main,app"], id="forged mark"
        ),
    ],
)
async def test_a_refusal_counts_once(
    proxy: MockProxy, caller: str, request_: tuple[str, Any], expected: list[str]
) -> None:
    """By its rule, type, handle and caller; nothing is tried."""
    with changes() as seen:
        answer = await proxy.post(*request_, headers=fails(caller))
    assert answer.status >= 400, answer.text
    names = {"loops": "loops_total{other}"}
    assert seen == {names.get(one, f"refusals_total{{{one}}}"): 1 for one in expected}


@pytest.mark.parametrize(
    ("model", "fields", "kind", "approach"),
    [
        pytest.param(
            "boost", {"optillm_approach": "executecode"}, "approach_not_allowed", "other", id="listed"
        ),
        pytest.param("boost", {"optillm_approach": ["re2"]}, "approach_not_allowed", "other", id="a list"),
        pytest.param("boost", {"optillm_approach": "moa"}, "fanout_exceeded", "moa", id="estimated above"),
        pytest.param(
            "boost",
            {"optillm_approach": "re2", "messages": [{"role": "user", "content": TAG}]},
            "approach_in_prompt",
            "re2",
            id="tag",
        ),
    ],
)
async def test_a_refused_approach_counts_once(
    proxy: MockProxy, model: str, fields: dict[str, Any], kind: str, approach: str
) -> None:
    """A request for what its handle does not run is counted by the approach too."""
    with changes() as seen:
        answer = await proxy.post(*chat(model, **fields), headers=key_of("app"))
    assert answer.error["type"] == kind
    assert seen == {
        f"refusals_total{{approach,{kind},{model},app}}": 1,
        f"approach_requests_total{{{model},{approach},refused}}": 1,
    }


async def test_made_inert_is_told_apart(proxy: MockProxy) -> None:
    """A prompt with a tag ran, where the operator chose so."""
    with changes() as seen:
        answer = await proxy.chat("soft", TAG, optillm_approach="re2")
    assert answer.status == 200, answer.text
    assert seen == {
        "attempts_total{soft,soft,answered}": 1,
        "approach_requests_total{soft,re2,neutralised}": 1,
        "optillm_children_count{soft,re2}": 1,
    }


async def test_a_refused_attempt_is_one_refusal_and_no_attempt(proxy: MockProxy) -> None:
    """The way to OptiLLM over a fallback: the first rung failed, what was refused was never sent."""
    proxy.upstream("chain").fails(500, times=1)
    with changes() as seen:
        answer = await proxy.post(*chat("chain"), headers=key_of("optillm"))
    assert (answer.status, answer.sent_to) == (400, ["chain"]), answer.text
    assert seen == {
        "attempts_total{chain,chain,failed}": 1,
        "refusals_total{loop_guard,loop_detected,chain,optillm}": 1,
        "loops_total{other}": 1,
    }


# --- fields ----------------------------------------------------------------------------------------


async def test_a_stripped_field_counts_once_a_request(proxy: MockProxy) -> None:
    """Known names by themselves, all others together, however many attempts they were stripped from."""
    fields: dict[str, Any] = {
        "optillm_approach": "re2",
        "mcts_depth": 3,
        "extra_body": {"top_k": 1},
        "timeout": 9,
        "nobody_knows": 1,
    }
    proxy.upstream("main").fails(500, times=1)
    with changes() as plain:
        await proxy.chat("main", **fields)
    assert {name: count for name, count in plain.items() if name.startswith("fields")} == {
        "fields_stripped_total{main,optillm_approach}": 1,
        "fields_stripped_total{main,mcts_depth}": 1,
        "fields_stripped_total{main,timeout}": 1,
        "fields_stripped_total{main,other}": 1,
    }
    with changes() as lane:
        answer = await proxy.chat("boost", **fields, seed=1, logit_bias={})
    assert answer.status == 200, answer.text
    assert {name: count for name, count in lane.items() if name.startswith("fields")} == {
        f"fields_stripped_total{{boost,{name}}}": 1
        for name in ("mcts_depth", "extra_body", "seed", "logit_bias", "timeout", "other")
    }


# --- children --------------------------------------------------------------------------------------


async def held(
    proxy: MockProxy, *children: tuple[str, str], stream: bool = False
) -> tuple[Answer, list[Answer]]:
    """A root at boost that runs re2, and calls back (model, caller) while it is under way."""
    upstream = proxy.upstream("boost")
    before = len(upstream.requests)
    release = upstream.holds()
    path, body = chat("boost", optillm_approach="re2", stream=stream)
    asking = asyncio.ensure_future(proxy.post(path, body, headers=key_of("app")))
    try:
        while len(upstream.requests) == before and not asking.done():
            await asyncio.wait({asking}, timeout=0.005)
        mark = mark_of(upstream.requests[-1].json)
        answers = [
            await proxy.post(*chat(model + mark), headers=key_of(caller)) for model, caller in children
        ]
    finally:
        release.set()
    return await asking, answers


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_children_and_their_tokens_count_with_their_root(proxy: MockProxy, stream: bool) -> None:
    """Calls back are attempts at their own group; their number and tokens are the root's."""
    with changes() as seen:
        root, children = await held(proxy, ("base", "optillm"), ("base", "optillm"), stream=stream)
    used = [child.json["usage"] for child in children]
    first = {"first_token_seconds_count{boost}": 1} if stream else {}
    assert root.status == 200, root.text
    assert seen == {
        "attempts_total{boost,boost,answered}": 1,
        "attempts_total{base,base,answered}": 2,
        "approach_requests_total{boost,re2,run}": 1,
        "optillm_children_count{boost,re2}": 1,
        "optillm_tokens_total{boost,re2,prompt}": sum(one["prompt_tokens"] for one in used),
        "optillm_tokens_total{boost,re2,completion}": sum(one["completion_tokens"] for one in used),
        **first,
    }


async def test_a_root_that_spent_its_calls_is_one_refusal(proxy: MockProxy) -> None:
    """However many calls OptiLLM still tries: they are refused, and counted with their root."""
    with changes() as seen:
        root, children = await held(proxy, *[("base", "optillm")] * 6)
    assert [child.status for child in children] == [200] * 3 + [400] * 3
    assert root.error["type"] == "fanout_exceeded"
    kept = {name: count for name, count in seen.items() if not name.startswith("optillm_tokens")}
    assert kept == {
        "attempts_total{boost,boost,answered}": 1,
        "attempts_total{base,base,answered}": 3,
        "approach_requests_total{boost,re2,run}": 1,
        "optillm_children_count{boost,re2}": 1,
        "refusals_total{loop_guard,fanout_exceeded,boost,app}": 1,
    }


async def test_a_loop_counts_with_the_handle_it_began_at(proxy: MockProxy) -> None:
    """The return is refused to OptiLLM, the root to its client; no attempt was made for the return."""
    with changes() as seen:
        root, _ = await held(proxy, ("boost", "optillm"))
    assert (root.status, root.error["type"]) == (508, "loop_detected")
    assert seen == {
        "attempts_total{boost,boost,answered}": 1,
        "approach_requests_total{boost,re2,run}": 1,
        "optillm_children_count{boost,re2}": 1,
        "loops_total{boost}": 1,
        "refusals_total{loop_guard,loop_detected,boost,optillm}": 1,
        "refusals_total{loop_guard,loop_detected,boost,app}": 1,
    }


async def test_a_call_of_optillms_own_is_an_orphan(proxy: MockProxy) -> None:
    """A warm-up is served and counted apart; a listing is no call."""
    with changes() as seen:
        await proxy.post(*chat("base"), headers=key_of("optillm"))
        await proxy.get("/v1/models", headers=key_of("optillm"))
    assert seen == {"attempts_total{base,base,answered}": 1, "orphans_total{}": 1}


# --- what a person feels ---------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", [*ROUTES, "generate"])
@pytest.mark.parametrize("handle", ["main", "boost"])
async def test_the_speed_of_an_answer_counts_once(
    proxy: MockProxy, handle: str, route: str, stream: bool
) -> None:
    """On every route, also of OptiLLM's, whose text comes at once; of a stream its first text, too."""

    def felt() -> tuple[float, float]:
        labels = {"handle": handle}
        speed, first = (
            REGISTRY.get_sample_value(f"homelab_{name}_count", labels) or 0
            for name in ("output_tokens_per_second", "first_token_seconds")
        )
        return speed, first

    speed, first = felt()
    answer = await proxy.post(*asked(route, stream, handle))
    assert answer.status == 200, answer.text
    for _ in range(100):
        if felt()[0] > speed:
            break
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)
    assert felt() == (speed + 1, first + stream)


async def test_the_time_of_each_hook_is_measured(proxy: MockProxy) -> None:
    """Every kind of hook that a request passes."""

    def hooks() -> dict[str, float]:
        kinds = ("gate", "pre_call", "attempt", "wire", "success", "stream", "failure", "headers", "listing")
        return {
            kind: REGISTRY.get_sample_value("homelab_hook_seconds_count", {"hook": kind}) or 0
            for kind in kinds
        }

    before = hooks()
    await proxy.chat("boost")
    await proxy.chat("boost", stream=True)
    await proxy.chat("nobody")
    await proxy.get("/v1/models")
    assert all(hooks()[kind] > before[kind] for kind in before), hooks()


# --- bounds ----------------------------------------------------------------------------------------


async def test_no_request_makes_a_series_with_a_name_of_its_own(proxy: MockProxy) -> None:
    """Hostile handles, approaches, keys, headers and fields: every label is configured, or `other`."""
    names = [f"hostile-{number}" for number in range(20)]
    for name in names:
        headers = {"Authorization": f"Bearer sk-{name}", "x-litellm-model": name, "user-agent": name}
        await proxy.post(*chat(name), headers=headers)
        await proxy.post(*chat(name, **{name: 1}))
        await proxy.post(*chat("boost", optillm_approach=name, **{name: 1}))
        await proxy.post(*chat("main", **{name: 1, "extra_body": {name: 1}}))
    assert not [sample for sample in samples() if "hostile" in sample]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@settings(max_examples=150, deadline=None)
@given(event=st.dictionaries(st.sampled_from(["type", "delta", "choices", "candidates", "content"]), JSON))
async def test_any_event_of_a_stream_can_be_looked_at(event: dict[str, Any]) -> None:
    """Whatever an upstream streams, looking for its first text does not fail."""
    assert has_text(json.loads(json.dumps(event))) in {True, False}
