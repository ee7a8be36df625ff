"""Real OptiLLM: calls back that are refused use up nothing, and none of them is retried by the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.lane.rig import Rig, read, rig

pytestmark = pytest.mark.real

ROUTER = Path(__file__).parent / "router.yaml"


@pytest.fixture(scope="module")
def lane() -> Iterator[Rig]:
    """`lost` is OptiLLM that calls back a name which its key may not use; the file retries three times."""
    document = read(ROUTER)
    models = {entry["model_name"]: entry for entry in document["model_list"]}
    lost = {**models["boost"]["litellm_params"], "model": "lm_studio/nowhere"}
    document["model_list"].append(
        {"model_name": "lost", "litellm_params": lost, "model_info": {"id": "id-lost", "mode": "chat"}}
    )
    document["homelab"]["showroom"]["handles"].append("lost")
    document["homelab"]["optillm"]["lost"] = {"approaches": ["none", "re2", "moa", "bon"], "max_calls": 12}
    document["router_settings"] |= {"num_retries": 3, "retry_policy": {"InternalServerErrorRetries": 2}}
    with rig(document, optillm="0.4.0") as running:
        yield running


@pytest.fixture
def clean(lane: Rig) -> Iterator[Rig]:
    """The lane, nothing seen yet; faults end with the test."""
    lane.clear()
    yield lane
    lane.upstreams.of("base").works()


@pytest.mark.parametrize("approach", ["moa", "bon"])
def test_refused_for_their_name(clean: Rig, approach: str) -> None:
    """OptiLLM asks four times and more, none reaches a backend, and none is counted."""
    answer = clean.chat("lost", optillm_approach=approach)

    assert len(clean.returns) >= 4
    assert clean.backend_calls() == []
    assert answer.headers["x-homelab-calls"] == "0"
    assert "fanout_exceeded" not in answer.text


def test_the_backend_is_asked_as_often_as_optillm_asks(clean: Rig) -> None:
    """Its client tries three times while the backend fails; the gateway adds no attempt of its own."""
    clean.upstreams.of("base").fails(500)
    answer = clean.chat("boost", optillm_approach="re2")

    assert answer.status_code == 500
    assert len(clean.returns) == 3
    assert len(clean.backend_calls("base")) == 3
