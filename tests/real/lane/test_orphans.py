"""A loop that no layer of the guard can tell: an internal model's server leads to OptiLLM by its own way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.lane.looping import KEYS, document
from tests.real.lane.relay import Relay
from tests.real.lane.rig import GATE_KEY, Rig, rig
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

LIMIT = 4
TRIES = 2 * 3
"""LiteLLM tries twice here, and OptiLLM's client what failed three times, though not what got a 400."""
AFTERMATH = 3.0
"""Seconds in which a retry would be seen: both wait at most 2 s before one."""
CAP = 200
"""Calls after which the relay would end the loop itself: far more than the limit lets through."""


@pytest.fixture(scope="module")
def lane() -> Iterator[Rig]:
    """OptiLLM calls back `main`, whose server is a relay to the same OptiLLM; the mark does not survive."""
    made = document()
    made["homelab"]["limits"] = {"orphans": LIMIT}
    made["homelab"]["showroom"]["handles"].remove("main")
    made["homelab"]["showroom"]["internal"].append("main")
    _group_of(made, "main")["litellm_params"] |= {"api_base": "os.environ/MAIN_API_BASE", "api_key": GATE_KEY}
    made["router_settings"] = {"num_retries": 1, "disable_cooldowns": True}
    made["homelab"]["showroom"]["handles"].append("plain")
    made["model_list"].append(
        {**_group_of(made, "to-self"), "model_name": "plain", "model_info": {"mode": "chat"}}
    )
    secret_way = Relay(cap=CAP)
    with listening(secret_way) as url:
        back = Relay(rename=lambda name: name.replace("real-main", "main"))
        environ = {"MAIN_API_BASE": f"{url}/v1"}
        with rig(made, optillm="0.4.0", back=back, environ=environ, optillm_key=KEYS["optillm"]) as running:
            secret_way.target = running.wire.target
            yield running


def _group_of(made: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in made["model_list"] if one["model_name"] == name)
    return found


def test_a_loop_behind_a_model_server_is_cut_off(lane: Rig) -> None:
    """It goes round as often as calls without a request may be under way, and its retries end too."""
    answer = lane.chat("good", optillm_approach="none")
    assert answer.status_code >= 400, answer.text
    calls = len(lane.returns)
    assert LIMIT < calls <= (1 + LIMIT) * TRIES, [call.model for call in lane.returns]
    time.sleep(AFTERMATH)
    assert len(lane.returns) == calls, "it goes on behind the client's back"


def test_others_are_served_meanwhile(lane: Rig) -> None:
    """Clients are, at once; OptiLLM's calls without a request rest, so that the loop is not lit again."""
    made = lane.chat("good", optillm_approach="re2")
    assert made.status_code >= 400
    headers = {"Authorization": f"Bearer {KEYS['optillm']}"}
    body = {"model": "to-self", "messages": [{"role": "user", "content": "hello"}]}
    resting = lane.post("/v1/chat/completions", body, headers=headers)
    assert (resting.status_code, resting.json()["error"]["type"]) == (400, "fanout_exceeded")
    assert lane.chat("plain").status_code == 200
