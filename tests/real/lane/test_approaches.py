"""Every approach of real OptiLLMs: sent as asked, alone, and its calls back counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from litellm_homelab.optillm import costs
from litellm_homelab.optillm.approaches import Approach, parse
from tests.real.asking import ask
from tests.real.lane.conftest import ROUTER
from tests.real.lane.rig import GATE_KEY, Rig, rig

pytestmark = pytest.mark.real

WHOLE_OR_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])

CALLS = {
    "none": 1,
    "re2": 1,
    "moa": 3,
    "bon": 4,
    "plansearch": 4,
    "self_consistency": 5,
    "mcts": 14,
    "rto": 4,
    "z3": 2,
    "pvg": 17,
    "rstar": 25,
    "cot_reflection": 1,
    "leap": 2,
    "cepo": 48,
    "mars": 118,
    "coc": 1,
    "deepthink": 7,
    "genselect": 2,
    "majority_voting": 1,
    "memory": 2,
    "spl": 2,
    "executecode": 1,
    "readurls": 0,
    "re2&moa": 4,
    "re2|bon": 5,
    "re2|re2|re2": 3,
}
"""
Calls back, measured with an upstream that echoes: its answers hold no code and no examples, so that `leap`,
`coc` and `executecode` stop early.  `proxy`, `json`, `router`, `mcp`, `privacy`, `web_search` and
`deep_research` are not here: they need a provider, weights or the network.
"""
SMOKE = ("none", "re2", "moa", "bon", "plansearch", "self_consistency", "mcts", "majority_voting", "re2&moa")


@pytest.fixture(scope="module")
def _older() -> Iterator[Rig]:
    with rig(ROUTER, optillm="0.3.12") as running:
        yield running


@pytest.fixture
def older(_older: Rig) -> Rig:
    """The lane with OptiLLM 0.3.12, nothing seen yet."""
    _older.clear()
    return _older


def assert_ran(lane: Rig, answer: httpx.Response, approach: str, calls: int, *, stream: bool) -> None:
    """The request went to OptiLLM as asked, once, with nothing else; its children are counted."""
    assert answer.status_code == 200, answer.text
    (sent,) = lane.optillm_calls
    named = set() if approach == "none" else {"optillm_approach"}
    assert set(sent.body) == {"model", "messages"} | named | ({"stream"} if stream else set())
    assert sent.body.get("optillm_approach", "none") == approach
    assert sent.headers.getlist("authorization") == [f"Bearer {GATE_KEY}"]
    assert answer.headers["x-homelab-approach"] == approach
    seen = {
        "header": int(answer.headers["x-homelab-calls"]),
        "back": len(lane.returns),
        "backend": len(lane.backend_calls("base")),
    }
    assert seen == {"header": calls, "back": calls, "backend": calls}
    assert len(lane.backend_calls()) == calls


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("approach", CALLS)
def test_an_allowed_approach_runs_as_asked(current: Rig, approach: str, stream: bool) -> None:
    """What a handle lists arrives at OptiLLM, makes the measured number of children, and no other call."""
    answer = current.chat("wide", "What is 2 + 3?", optillm_approach=approach, stream=stream)

    assert_ran(current, answer, approach, CALLS[approach], stream=stream)


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("approach", SMOKE)
def test_an_allowed_approach_runs_as_asked_on_0_3_12(older: Rig, approach: str, stream: bool) -> None:
    """The older version is asked the same way, and calls back as often."""
    answer = older.chat("wide", "What is 2 + 3?", optillm_approach=approach, stream=stream)

    assert_ran(older, answer, approach, CALLS[approach], stream=stream)


@pytest.mark.parametrize("approach", CALLS)
def test_what_runs_was_estimated(approach: str) -> None:
    """No approach makes more calls than the estimate that `max_calls` is compared with."""
    parsed = parse(approach)

    assert isinstance(parsed, Approach)
    assert CALLS[approach] <= costs.estimate(parsed, 1, {})


@pytest.mark.parametrize("fields", [{}, {"optillm_approach": "none"}], ids=["default", "named"])
def test_none_is_sent_as_no_field(current: Rig, fields: dict[str, Any]) -> None:
    """Without an approach, and with `none`, OptiLLM is sent no approach field: it answers 500 to it."""
    assert current.chat("boost", **fields).status_code == 200

    (sent,) = current.optillm_calls
    assert set(sent.body) == {"model", "messages"}


@pytest.mark.parametrize("place", ["body", "extra_body", "both", "prefix"])
def test_wherever_it_is_named(current: Rig, place: str) -> None:
    """In the body, in `extra_body`, in both, or before the handle's name: the approach is sent once."""
    named = {"optillm_approach": "moa"}
    fields: dict[str, Any] = {**named} if place in {"body", "both"} else {}
    fields |= {"extra_body": named} if place in {"extra_body", "both"} else {}

    answer = current.chat("moa-wide" if place == "prefix" else "wide", **fields)

    assert_ran(current, answer, "moa", 3, stream=False)


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("route", ["completions", "responses", "messages", "generate"])
def test_on_every_route(current: Rig, route: str, stream: bool) -> None:
    """The other routes lead to OptiLLM the same way, and their answers tell the number of children."""
    answer = ask(current, route, "boost", stream=stream, optillm_approach="moa")

    assert answer.status_code == 200, answer.text
    assert [one.body.get("optillm_approach") for one in current.optillm_calls] == ["moa"]
    assert answer.headers["x-homelab-approach"] == "moa"
    assert int(answer.headers["x-homelab-calls"]) == len(current.backend_calls("base")) == 3


def test_more_choices_are_brought_down(current: Rig) -> None:
    """`n` runs an approach that often, and is brought down to the handle's `max_n`: 1 here, 3 there."""
    for handle, choices in (("boost", 1), ("wide", 3)):
        current.clear()
        answer = current.chat(handle, optillm_approach="moa", n=9)

        assert [one.body["n"] for one in current.optillm_calls] == [choices]
        assert int(answer.headers["x-homelab-calls"]) == len(current.returns) == 3 * choices
