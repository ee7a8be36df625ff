"""Loops between two gateways on real processes: refused at the first re-entry; chains are served."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from litellm_homelab.attempts.hops import HEADER
from tests.real.two_gateways import Pair, two_gateways

pytestmark = pytest.mark.real

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture(scope="module", params=["apart", "shared"])
def _pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two gateways with secrets and states of their own; and with shared ones, one of two workers."""
    shared = request.param == "shared"
    with two_gateways(shared=shared, workers=2 if shared else 1) as running:
        yield running


@pytest.fixture
def pair(_pair: Pair) -> Pair:
    """Both, nothing seen yet."""
    _pair.clear()
    return _pair


@STREAMED
def test_a_loop_through_a_second_gateway_ends_at_its_first_return(pair: Pair, stream: bool) -> None:
    """One call to the second, one back, no retry of either; the client gets the 508."""
    answer = pair.chat("loop", stream=stream)
    back, there = pair.passed
    assert (answer.status_code, answer.json()["error"]["type"]) == (508, "loop_detected"), answer.text
    assert (len(there), len(back)) == (1, 1)
    assert pair.backend_calls() == []


@STREAMED
def test_a_loop_through_a_reverse_proxy_ends_at_its_first_return(pair: Pair, stream: bool) -> None:
    """The gateway's own address under another name."""
    answer = pair.chat("self", stream=stream)
    back, there = pair.passed
    assert (answer.status_code, answer.json()["error"]["type"]) == (508, "loop_detected"), answer.text
    assert (len(there), len(back)) == (0, 1)


@pytest.mark.parametrize("approach", ["none", "re2", "moa"])
def test_a_loop_through_two_optillms_ends_at_its_first_return(pair: Pair, approach: str) -> None:
    """First gateway, OptiLLM, second gateway, OptiLLM, and back: nothing reaches a backend."""
    answer = pair.chat("boost", optillm_approach=approach)
    assert (answer.status_code, answer.json()["error"]["type"]) == (508, "loop_detected"), answer.text
    assert pair.backend_calls() == []
    back, there = pair.passed
    returns = [call for call in back if call.model == "boost"]
    # The second runs its default approach, `none`: one call for each that the first's OptiLLM makes.
    assert len(returns) == len([call for call in there if call.model == "boost"])
    assert len(returns) <= {"none": 1, "re2": 1, "moa": 4}[approach]


def test_a_loop_behind_a_fallback_ends(pair: Pair) -> None:
    """The second leads `chain` to the first's `self`, which leads to itself: no fallback of either serves."""
    answer = pair.chat("chain")
    assert (answer.status_code, answer.json()["error"]["type"]) == (508, "loop_detected"), answer.text
    assert pair.backend_calls() == []


@STREAMED
@pytest.mark.parametrize("model", ["main", "twice", "long", "nice"])
def test_a_chain_of_two_gateways_is_served(pair: Pair, model: str, stream: bool) -> None:
    """The same name on both, twice through the first, with a fallback at the second, through OptiLLM."""
    pair.upstreams.of("away").fails(500)
    answers = [pair.chat(model, stream=stream) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3, answers[0].text
    assert pair.backend_calls()


def test_pairs_are_the_same_in_every_worker(pair: Pair) -> None:
    """One gateway is one, whichever worker serves; the two are two."""
    for _ in range(8):
        pair.chat("main")
    there = {call.headers[HEADER] for call in pair.to_second.posts}
    at_backend = {call.headers[HEADER] for call in pair.backend_calls()}
    assert (len(there), len(at_backend)) == (1, 1)
    first, second = at_backend.pop().split(", ")
    assert {first} == there
    assert first.partition(".")[0] != second.partition(".")[0]


def test_a_client_cannot_smuggle_the_header(pair: Pair) -> None:
    """What a client writes is read as pairs: it can end its own request, and nothing else."""
    own = {HEADER: "forged.pair", "Authorization": "Bearer sk-client-of-both"}
    body = {"model": "loop", "messages": [{"role": "user", "content": "hello"}]}
    assert pair.client.post("/v1/chat/completions", json=body, headers=own).status_code == 508
    assert [call.headers[HEADER].split(", ")[0] for call in pair.to_second.posts] == ["forged.pair"]
    garbage = {**own, HEADER: "garbage"}
    assert pair.client.post("/v1/chat/completions", json=body, headers=garbage).status_code == 400
    assert pair.chat("main").status_code == 200
