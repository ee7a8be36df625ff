"""Two workers under load: what `/metrics/` says is what the backends saw."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.real.lane.rig import DEMO, Rig, bearer, read, rig

ROUTER = Path(__file__).with_name("router.yaml")
KEY = "sk-metrics-key-0001"
TIMES = 12
"""How often each kind of request is made."""
SETTLE_SECONDS = 30
TEXT = [{"role": "user", "content": "hello"}]


def document() -> dict[str, Any]:
    """The lane's router.yaml with the metrics on and a store that workers share."""
    changed = read(ROUTER)
    changed["homelab"]["state"] = "sqlite:///homelab.db"
    changed["litellm_settings"]["callbacks"].append("litellm_homelab.hooks.metrics")
    changed["general_settings"]["cancel_on_disconnect"] = True
    return changed


def shown(lane: Rig) -> list[Sample]:
    """Every sample of `/metrics/`, the workers added up by LiteLLM."""
    answer = lane.client.get("/metrics/", headers=bearer(KEY))
    assert answer.status_code == 200, answer.text
    return [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]


def counted(lane: Rig) -> dict[tuple[str, ...], float]:
    """Our samples by name and values of labels, in the order of the labels' names."""
    return {
        (
            sample.name.removeprefix("homelab_"),
            *(value for _, value in sorted(sample.labels.items())),
        ): sample.value
        for sample in shown(lane)
        if sample.name.startswith("homelab_")
    }


def hang_up(lane: Rig, _: int) -> None:
    """Ask for a stream, and leave before it begins."""
    with contextlib.suppress(httpx.ReadTimeout):
        lane.post("/v1/chat/completions", {"model": "dear-main", "messages": TEXT, "stream": True}, timeout=2)


def messages(lane: Rig, _: int) -> None:
    """A route on which an attempt's hooks run three times."""
    answer = lane.post("/v1/messages", {"model": "main", "messages": TEXT, "max_tokens": 9})
    assert answer.status_code == 200, answer.text


def streamed(lane: Rig, _: int) -> None:
    """A stream, read to its end."""
    assert lane.chat("main", stream=True).status_code == 200


def whole(lane: Rig, _: int) -> None:
    """An answer that is not streamed."""
    assert lane.chat("main").status_code == 200


def root(lane: Rig, number: int) -> None:
    """A request that calls back."""
    answer = lane.chat("boost", optillm_approach="moa", stream=bool(number % 2))
    assert answer.status_code == 200, answer.text


def refused(lane: Rig, _: int) -> None:
    """A name that leads nowhere."""
    assert lane.chat("nobody").status_code == 404


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """
    Two workers, after a load of everything at once.

    Gateways of several workers share one folder below the temporary one, and each empties it when it starts,
    unless they are given their own (measured on LiteLLM 1.106.2).
    """
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp("metrics"))}
    changed = document()
    dear = next(one for one in changed["model_list"] if one["model_name"] == "dear-base")
    changed["model_list"].append(
        {**dear, "model_name": "dear-main", "model_info": {"id": "id-dm", "mode": "chat"}}
    )
    changed["homelab"]["showroom"]["handles"].append("dear-main")
    with rig(changed, optillm=DEMO, workers=2, environ=environ) as running:
        running.upstreams.of("dear").fails("slow", seconds=5)
        work = [one for one in (hang_up, messages, streamed, whole, root, refused) for _ in range(TIMES)]
        with ThreadPoolExecutor(12) as pool:
            for done in [pool.submit(one, running, number) for number, one in enumerate(work)]:
                done.result()
        _settle(running)
        yield running


def _settle(lane: Rig) -> None:
    """Wait for the ends of those who left: nothing changes for a second."""
    deadline, before = time.monotonic() + SETTLE_SECONDS, dict[tuple[str, ...], float]()
    while (now := counted(lane)) != before and time.monotonic() < deadline:
        before = now
        time.sleep(1)


def test_each_attempt_is_one_call_of_a_backend(lane: Rig) -> None:
    """Answered, or left by the client; each group's attempts are its backend's calls."""
    seen = counted(lane)
    attempts = {name[1:]: count for name, count in seen.items() if name[0] == "attempts_total" and count}
    assert attempts == {
        ("main", "answered", "main"): len(lane.backend_calls("main")),
        ("dear-main", "left", "dear-main"): len(lane.backend_calls("dear")),
        ("boost", "answered", "boost"): len(lane.optillm_calls),
        ("base", "answered", "base"): len(lane.backend_calls("base")),
    }
    assert len(lane.backend_calls("main")) == 3 * TIMES


def test_children_and_tokens_are_those_of_the_backend(lane: Rig) -> None:
    """Every call back is its root's, and so are its tokens."""
    seen = counted(lane)
    assert seen["optillm_children_count", "moa", "boost"] == TIMES
    assert seen["optillm_children_sum", "moa", "boost"] == len(lane.backend_calls("base"))
    assert seen["approach_requests_total", "run", "moa", "boost"] == TIMES
    # LiteLLM's own account of them.
    for kind, name in (("prompt", "input"), ("completion", "output")):
        booked = sum(
            sample.value
            for sample in shown(lane)
            if sample.name == f"litellm_{name}_tokens_metric_total"
            and sample.labels["requested_model"] == "base"
        )
        assert seen["optillm_tokens_total", "moa", "boost", kind] == booked > 0


def test_each_refusal_and_each_stream_is_counted_once(lane: Rig) -> None:
    """Refusals by rule and caller; first texts of streams that were read."""
    seen = counted(lane)
    assert seen["refusals_total", "master", "other", "showroom", "model_not_found"] == TIMES
    assert seen["first_token_seconds_count", "main"] == TIMES
    assert seen["first_token_seconds_count", "boost"] == TIMES // 2
    assert sum(count for name, count in seen.items() if name[0] == "rule_errors_total") == 0
