"""What else of a request reaches a real OptiLLM: the fields that its approach reads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.real.lane.rig import Rig

pytestmark = pytest.mark.real

WHOLE_OR_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])

TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
ALWAYS = {"temperature": 0.5, "top_p": 0.9, "n": 1, "max_tokens": 200}
PASSED_ON = {
    "stop": ["###"],
    "seed": 7,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "top_logprobs": 2,
    "tools": [TOOL],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "response_format": {"type": "json_object"},
}
READ = {"k": 3, "num_candidates": 3, "comparison_temperature": 0.1, "deepthink_samples": 2}
NEVER = {
    "user": "someone",
    "metadata": {"trace": "1"},
    "store": True,
    "service_tier": "auto",
    "mcts_simulations": 8,
    "mcts_depth": 4,
    "best_of_n": 9,
    "return_full_response": True,
    "mars_config": {"num_agents": 9},
    "proxy_wrap": "mars",
    "spl_learning": True,
    "something_else": "made up",
}
EXTRA = {"mcts_exploration": 2, "wrapped_approach": "mars", "made_up": True, "n": 9, "user": "other"}


@pytest.mark.parametrize(
    ("approach", "fields"),
    [
        pytest.param("none", ALWAYS | PASSED_ON, id="none"),
        pytest.param("re2", ALWAYS, id="re2"),
        pytest.param("mcts", ALWAYS, id="mcts"),
        pytest.param("spl", ALWAYS | PASSED_ON, id="spl"),
        pytest.param("majority_voting", ALWAYS | {"k": 3}, id="majority_voting"),
        pytest.param(
            "genselect", ALWAYS | {"num_candidates": 3, "comparison_temperature": 0.1}, id="genselect"
        ),
        pytest.param("deepthink", ALWAYS | {"deepthink_samples": 2}, id="deepthink"),
    ],
)
@WHOLE_OR_STREAMED
def test_only_known_fields_leave(current: Rig, approach: str, fields: dict[str, Any], stream: bool) -> None:
    """Of everything that a client may send, OptiLLM gets what the approach reads, as it was sent."""
    everything: dict[str, Any] = {
        **ALWAYS,
        **PASSED_ON,
        **READ,
        **NEVER,
        "extra_body": EXTRA,
        "stream": stream,
    }
    answer = current.chat("wide", optillm_approach=approach, **everything)

    (sent,) = current.optillm_calls
    left = {name: value for name, value in sent.body.items() if name not in {"model", "messages"}}
    named = {} if approach == "none" else {"optillm_approach": approach}
    assert left == fields | named | ({"stream": True} if stream else {})
    assert answer.status_code == 200, answer.text
