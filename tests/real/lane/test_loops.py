"""Loops on real processes, with one layer of the guard at a time, and with none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from litellm_homelab.refusals import RETURN_TEXT
from tests.real.lane.looping import APPROACHES, LOOPS, PATHS, REFUSED, looping
from tests.real.lane.relay import CAP
from tests.real.lane.rig import DEMO, Rig

pytestmark = pytest.mark.real

STREAMED = [pytest.param(False, id="whole"), pytest.param(True, id="streamed")]
AFTERMATH = 3.0
"""Seconds in which retries would be seen: OptiLLM's client and LiteLLM wait at most 2 s before one."""
ROUTES: dict[str, dict[str, Any]] = {
    "/v1/responses": {"input": "hello"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 60},
    "/v1/completions": {"prompt": "hello"},
}
"""The other routes by which a client reaches OptiLLM."""
PLUGIN = "litellm_homelab.plugin"
ORDERS = {
    "lineage": ("0.4.0", (PLUGIN,)),
    "identity": ("0.4.0", (PLUGIN, "prometheus")),
    "both": (DEMO, (PLUGIN, "prometheus", PLUGIN)),
}
"""Each layer alone on the real OptiLLM, both on the stand-in; each with its callbacks in another order."""


@pytest.fixture(scope="module", params=ORDERS)
def _looping(request: pytest.FixtureRequest) -> Iterator[Rig]:
    version, callbacks = ORDERS[request.param]
    with looping(request.param, optillm=version, callbacks=callbacks) as running:
        yield running


@pytest.fixture
def lane(_looping: Rig) -> Rig:
    """A gateway with loops and one layer of the guard, nothing seen yet."""
    _looping.clear()
    return _looping


def check(answer: httpx.Response, handle: str) -> None:
    """The one clear refusal: a status, not an event, in JSON, which no SDK asks for again."""
    assert answer.status_code == 508, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-should-retry"] == "false"
    error = answer.json()["error"]
    assert f"Loop detected: {PATHS[handle]}." in error["message"]
    assert (error["type"], error["code"]) == ("loop_detected", "508")


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("approach", REFUSED)
@pytest.mark.parametrize("handle", PATHS)
def test_a_loop_ends_at_its_first_return(lane: Rig, handle: str, approach: str, stream: bool) -> None:
    """Each call that OptiLLM makes comes back once; no backend is asked, and the client gets a 508."""
    answer = lane.chat(handle, optillm_approach=approach, stream=stream)

    check(answer, handle)
    assert len(lane.optillm_calls) == 1
    assert len(lane.returns) == REFUSED[approach]
    assert lane.backend_calls() == []


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("approach", ["re2", "moa"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_loop_is_told_on_every_route(lane: Rig, route: str, approach: str, stream: bool) -> None:
    """Whether OptiLLM answers a 500 or a 200 with an error text: a 508 with the path."""
    body = {"model": "ping", "optillm_approach": approach, "stream": stream, **ROUTES[route]}
    answer = lane.post(route, body)

    assert answer.status_code == 508, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-should-retry"] == "false"
    assert PATHS["ping"] in answer.json()["error"]["message"]
    assert len(lane.returns) == REFUSED[approach]


def test_nothing_goes_on_afterwards(lane: Rig) -> None:
    """No retry by LiteLLM or by OptiLLM's client follows, of any approach."""
    for approach in APPROACHES:
        lane.chat("self", optillm_approach=approach)
    before = (len(lane.optillm_calls), len(lane.returns))
    time.sleep(AFTERMATH)

    assert (len(lane.optillm_calls), len(lane.returns)) == before
    assert lane.backend_calls() == []


def test_the_next_good_request_works(lane: Rig) -> None:
    """No deployment rests after loops, neither another handle's nor the loop's own."""
    for _ in range(4):
        check(lane.chat("self", optillm_approach="re2"), "self")
    good = lane.chat("good", optillm_approach="moa")

    assert good.status_code == 200, good.text
    assert len(lane.backend_calls()) == 3
    check(lane.chat("self", optillm_approach="re2"), "self")


TEXTS = (
    "What does Error code: 400 - mean?",
    "Error: Could not generate any completions",
    f"Explain: {RETURN_TEXT} (good -> OptiLLM -> good), so it would never end.",
    "hello",
)
"""Questions that the backends echo: what a loop's own answer might say."""


def test_good_requests_beside_loops_are_answered(lane: Rig) -> None:
    """Loops blame nobody else, though what is asked at the same time sounds like one."""
    asked = [("self" if number % 3 == 0 else "good", TEXTS[number % 4]) for number in range(48)]

    def ask(one: tuple[str, str]) -> int:
        handle, text = one
        # The relay's cap is for loops that are not stopped: here everything passes it.
        lane.back.cap = None
        return lane.chat(handle, text, optillm_approach="re2" if len(text) % 2 else "moa").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, asked))
    lane.back.cap = CAP

    assert statuses == [508 if handle == "self" else 200 for handle, _ in asked]


@pytest.fixture(scope="module")
def stock() -> Iterator[Rig]:
    """Stock LiteLLM on the same file."""
    with looping("stock") as running:
        yield running


@pytest.mark.parametrize("handle", LOOPS)
def test_without_our_hooks_it_runs_to_the_cap(stock: Rig, handle: str) -> None:
    """Stock LiteLLM and OptiLLM go round until the relay stops them, so the rig does loop."""
    stock.clear()
    answer = stock.chat(handle)

    assert answer.status_code == 200, answer.text
    assert len(stock.returns) > CAP
    assert stock.backend_calls() == []
