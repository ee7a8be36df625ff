"""What a root may cost, who stops it, and what is counted of it, on real processes."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from litellm_homelab.optillm import lineage
from litellm_homelab.optillm.lineage import MARKER
from litellm_homelab.testing.upstream import Upstream, Upstreams
from tests.real.lane.rig import MASTER_KEY, Rig, bearer, callers_key, read, rig
from tests.real.lane.usage_backend import Till, marker
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

STREAMED = [pytest.param(False, id="whole"), pytest.param(True, id="streamed")]
ROUTER = Path(__file__).parent / "router.yaml"
APPROACHES = ("none", "re2", "moa", "bon", "plansearch", "self_consistency")
SPENT = {"self_consistency": (5, 1), "plansearch": (4, 1), "moa": (6, 3), "bon": (7, 3)}
"""
Approaches with their estimates, and how often the backend must fail for them to make more calls.

OptiLLM's client asks twice more each time, which no estimate counts; moa and bon then ask for their
candidates one by one.
"""
SERIES = "litellm_total_tokens_metric_total"
PATIENCE = 20.0
"""Seconds in which what is bound to happen has happened."""
AFTERMATH = 3.0
"""Seconds in which OptiLLM, which did not know that its client left, would have gone on."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A gateway of one worker, and the backend behind `base` and `main`."""

    rig: Rig
    till: Till
    base: Upstream
    numbers: Iterator[int]

    def text(self) -> str:
        """A prompt of its own."""
        return f"{marker(next(self.numbers))} asks: what is the weather like?"

    def chat(self, model: str, **fields: object) -> httpx.Response:
        """One chat completion with a prompt of its own."""
        return self.rig.chat(model, self.text(), **fields)

    @property
    def calls(self) -> int:
        """How often the backends were asked."""
        return self.till.calls.total()


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    """OptiLLM handles that may make exactly what their approach is estimated at, and counters in memory."""
    document = read(ROUTER)
    document["homelab"]["state"] = "memory://"
    document["general_settings"]["cancel_on_disconnect"] = True
    handles = document["homelab"]["showroom"]["handles"]
    for approach, (max_calls, _) in SPENT.items():
        name = f"tight-{approach}"
        handles.append(name)
        document["homelab"]["optillm"][name] = {
            "approaches": [approach],
            "default": approach,
            "max_calls": max_calls,
        }
        boost = next(one for one in document["model_list"] if one["model_name"] == "boost")
        document["model_list"].append(
            {**boost, "model_name": name, "model_info": {"id": name, "mode": "chat"}}
        )
    upstreams = Upstreams()
    till = Till(upstreams)
    with listening(till) as url:
        environ = {f"{name}_API_BASE": f"{url}/{name.lower()}/v1" for name in ("MAIN", "BASE")}
        with rig(document, environ=environ) as running:
            yield Lane(running, till, upstreams.of("base"), count())


def wait(until: Callable[[], bool]) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + PATIENCE
    while not until() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert until()


# --- max_calls -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("approach", SPENT)
def test_a_root_that_has_had_its_calls_ends(lane: Lane, approach: str, stream: bool) -> None:
    """The call after the last allowed one is refused, and the client gets a 422, even instead of a 200."""
    max_calls, failures = SPENT[approach]
    before = lane.calls
    lane.base.fails(500, times=failures)
    answer = lane.chat(f"tight-{approach}", stream=stream)
    lane.base.works()

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("fanout_exceeded", "optillm_approach")
    assert f"the {max_calls} calls" in error["message"]
    assert int(answer.headers["x-homelab-calls"]) == max_calls
    assert lane.calls - before == max_calls


@pytest.mark.parametrize("approach", SPENT)
def test_the_estimate_is_enough_where_nothing_fails(lane: Lane, approach: str) -> None:
    """The same handle answers, also after a root that was stopped."""
    answer = lane.chat(f"tight-{approach}")

    assert answer.status_code == 200, answer.text


# --- clients that leave ----------------------------------------------------------------------------


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize(
    ("approach", "under_way", "children"),
    [pytest.param("self_consistency", 1, 5, id="in turn"), pytest.param("rstar", 5, 25, id="side by side")],
)
def test_a_client_that_leaves_ends_its_root(
    lane: Lane, approach: str, under_way: int, children: int, stream: bool
) -> None:
    """OptiLLM goes on, but what it asks for then is refused: the backend sees what was under way, no more."""
    before = lane.calls
    lane.rig.clear()
    lane.base.fails("slow", seconds=0.7)
    body = {"model": "wide", "messages": [{"role": "user", "content": lane.text()}], "stream": stream}
    asyncio.run(_hang_up(lane, {**body, "optillm_approach": approach}, under_way))
    wait(lambda: len(lane.rig.returns) > under_way)
    time.sleep(AFTERMATH)
    lane.base.works()

    assert 0 < lane.calls - before <= under_way < children


async def _hang_up(lane: Lane, body: dict[str, Any], calls: int) -> None:
    """Leave in the middle of a request's first calls: as soon as the backend has received so many."""
    before = len(lane.base.requests)
    async with httpx.AsyncClient(base_url=lane.rig.url, headers=bearer(MASTER_KEY)) as client:
        asked = asyncio.create_task(client.post("/v1/chat/completions", json=body, timeout=PATIENCE))
        async with asyncio.timeout(PATIENCE):
            while len(lane.base.requests) - before < calls:  # noqa: ASYNC110 - the backend is in another thread
                await asyncio.sleep(0.01)
        asked.cancel()


# --- marks that no longer hold ---------------------------------------------------------------------


def _ended(lane: Lane) -> str:
    """The mark of a root that has been answered."""
    lane.rig.clear()
    assert lane.chat("boost", optillm_approach="re2").status_code == 200
    return MARKER + lane.rig.returns[-1].model.partition(MARKER)[2]


def _unknown(_: Lane) -> str:
    return lineage.mint(MASTER_KEY, lineage.new_root(), 1, time.time() + 60)


def _expired(_: Lane) -> str:
    return lineage.mint(MASTER_KEY, lineage.new_root(), 1, time.time() - 60)


def _foreign(_: Lane) -> str:
    return lineage.mint("another gateway's secret", lineage.new_root(), 1, time.time() + 60)


@pytest.mark.parametrize("caller", ["optillm", "app"])
@pytest.mark.parametrize("mark_of", [_ended, _unknown, _expired, _foreign])
def test_a_mark_that_does_not_hold_is_refused(
    lane: Lane, mark_of: Callable[[Lane], str], caller: str
) -> None:
    """Whoever presents it; no backend is asked, and nothing of the mark is shown."""
    mark = mark_of(lane)
    before = lane.calls
    headers = bearer(callers_key(lane.rig.document, caller))
    body = {"model": f"main{mark}", "messages": [{"role": "user", "content": lane.text()}]}
    answer = lane.rig.post("/v1/chat/completions", body, headers=headers)

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "param_not_allowed"), answer.text
    assert mark[len(MARKER) :] not in answer.text
    assert lane.calls == before


# --- the sums --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", STREAMED)
@pytest.mark.parametrize("approach", APPROACHES)
def test_an_answer_never_lags_behind_its_children(lane: Lane, approach: str, stream: bool) -> None:
    """Children are booked before their own answers leave: the root's account is complete when it is read."""
    text = lane.text()
    answer = lane.rig.chat("boost", text, optillm_approach=approach, stream=stream)
    name = text.split()[0]

    assert answer.status_code == 200, answer.text
    assert int(answer.headers["x-homelab-calls"]) == lane.till.calls[name] > 0
    assert int(answer.headers["x-homelab-tokens"]) == lane.till.tokens[name] > 0


def test_litellm_counts_what_the_backends_said(lane: Lane) -> None:
    """Over all that this module did: good, spent and given up, plain and through OptiLLM, streamed or not."""
    usage: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    for fields in ({}, usage):
        assert lane.chat("main", **fields).status_code == 200
    expected = float(lane.till.tokens.total())
    wait(lambda: _counted(lane.rig) >= expected)
    time.sleep(1.0)  # what would come on top of it comes now

    assert _counted(lane.rig) == expected


def _counted(running: Rig) -> float:
    text = running.client.get("/metrics/").text
    return sum(float(value) for value in re.findall(rf"^{SERIES}\{{.*\}} (\S+)$", text, re.MULTILINE))
