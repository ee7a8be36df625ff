"""The OptiLLM stand-in beside the real OptiLLM 0.4.0: the same requests must cause the same calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from litellm_homelab.demo import DemoThread
from tests.demo.client import HTTP
from tests.real.optillm import OptillmServer, optillm_server

pytestmark = pytest.mark.real

APPROACHES = (
    "re2", "cot_reflection", "moa", "bon", "rto", "plansearch", "self_consistency", "mcts", "pvg", "rstar",
    "genselect", "majority_voting", "spl", "none", "proxy",
)  # fmt: skip
FIELDS = {"temperature": 0.2, "max_tokens": 60, "user": "u", "n": 1, "stop": ["x"]}


@pytest.fixture(scope="module")
def real(_leaf: DemoThread) -> Iterator[OptillmServer]:
    """A real OptiLLM in front of the same backend, with the same keys."""
    with optillm_server("0.4.0", _leaf.api_base("vllm"), "upstream-key", "gate") as server:
        yield server


def _tagged(approach: str) -> dict[str, Any]:
    text = f"<optillm_approach>{approach}</optillm_approach>hi"
    return {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": text}]}


def _calls(leaf: DemoThread) -> Counter[str]:
    """Each call upstream as roles, fields and bearer, without the wording of the prompts."""
    shapes: Counter[str] = Counter()
    for request in leaf.requests("vllm"):
        roles = [message["role"] for message in request.json["messages"]]
        fields = {name: value for name, value in request.json.items() if name != "messages"}
        sent = [request.headers["authorization"], request.headers["x-stainless-async"], request.query]
        shapes[json.dumps([roles, fields, sent], sort_keys=True)] += 1
    return shapes


def _asked(leaf: DemoThread, api_base: str, body: dict[str, Any]) -> tuple[int, set[str], Counter[str]]:
    leaf.clear_requests()
    headers = {"authorization": "Bearer gate"}
    answer = HTTP.post(
        f"{api_base}/chat/completions", json={"model": "m", **body}, headers=headers, timeout=60
    )
    return (
        answer.status_code,
        set(answer.json()) & {"error", "choices", "usage", "id", "object"},
        _calls(leaf),
    )


@pytest.mark.parametrize(
    "body",
    [pytest.param(_tagged(name), id=name) for name in APPROACHES]
    + [pytest.param({**_tagged(name), **FIELDS}, id=f"{name}-fields") for name in APPROACHES]
    + [pytest.param({**_tagged(name), "max_tokens": 2}, id=f"{name}-cut") for name in APPROACHES]
    + [
        pytest.param({**_tagged("moa"), "n": 2}, id="n"),
        pytest.param({**_tagged("moa"), "n": 0}, id="n-0"),
        pytest.param({**_tagged("moa"), "n": None}, id="n-null"),
        pytest.param({**_tagged("re2"), "optillm_approach": "moa"}, id="tag-and-field"),
        pytest.param({**_tagged("none"), "optillm_approach": "moa"}, id="none-and-field"),
        pytest.param(_tagged("re2&moa"), id="and"),
        pytest.param(_tagged("re2|moa|re2"), id="or"),
        pytest.param(_tagged("moa&nope"), id="and-unknown"),
        pytest.param(_tagged("none&moa"), id="and-none"),
        pytest.param(_tagged("org/m"), id="unknown-model"),
        pytest.param({"messages": []}, id="no-messages"),
        pytest.param(
            {**_tagged("none"), "extra_headers": {"Authorization": "Bearer x"}, "extra_query": {"q": "1"}},
            id="forged",
        ),
        pytest.param({**_tagged("mcts"), "mcts_simulations": 3, "mcts_depth": 2}, id="mcts-parameters"),
        pytest.param({**_tagged("majority_voting"), "k": 3}, id="k"),
        pytest.param({**_tagged("genselect"), "num_candidates": 2}, id="candidates"),
    ],
)
def test_same_calls(demo: DemoThread, gated: DemoThread, real: OptillmServer, body: dict[str, Any]) -> None:
    """Status, shape of the answer, and every call's roles, fields and key are those of OptiLLM."""
    assert _asked(demo, gated.api_base("optillm"), body) == _asked(demo, real.api_base, body)


# Without rstar: its rollouts run in threads there; four or five have called when the first one fails.
@pytest.mark.parametrize("approach", [name for name in APPROACHES if name != "rstar"])
def test_same_calls_in_total_failure(
    demo: DemoThread, gated: DemoThread, real: OptillmServer, approach: str
) -> None:
    """When upstream refuses everything, both give up after the same calls and with the same status."""
    demo.fault("vllm", "400")
    assert _asked(demo, gated.api_base("optillm"), _tagged(approach)) == _asked(
        demo, real.api_base, _tagged(approach)
    )
