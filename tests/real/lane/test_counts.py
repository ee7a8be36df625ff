"""Two workers under load: what `/metrics/` says is what the backends saw."""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.real.lane.rig import DEMO, MASTER_KEY, Rig, bearer, read, rig

ROUTER = Path(__file__).with_name("router.yaml")
KEY = "sk-metrics-key-0001"
APP_KEY = "sk-app-key-0001"
OPTILLM_KEY = "sk-optillm-key-0001"
TIMES = 12
"""How often each kind of request is made."""
SETTLE_SECONDS = 60
TEXT = [{"role": "user", "content": "hello"}]


def document() -> dict[str, Any]:
    """
    The lane's router.yaml with the metrics on, a store that workers share, and more handles.

    `dear-main` is silent for a while, `slow-main` streams slowly, `chain` fails and has `main` below it;
    `left` is OptiLLM over a model that takes its time, `tight` is OptiLLM with fewer calls than an approach
    needs.
    """
    changed = read(ROUTER)
    homelab, router = changed["homelab"], changed["router_settings"]
    homelab["state"] = "sqlite:///homelab.db"
    changed["general_settings"]["cancel_on_disconnect"] = True
    for name, like, variable in (
        ("dear-main", "main", "DEAR"),
        ("slow-main", "main", "SLOW"),
        ("chain", "main", "CHAIN"),
        ("left", "code", "OPTILLM"),
        ("tight", "boost", "OPTILLM"),
    ):
        entry = copy.deepcopy(next(one for one in changed["model_list"] if one["model_name"] == like))
        entry |= {"model_name": name, "model_info": {"id": f"id-{name}", "mode": "chat"}}
        entry["litellm_params"]["api_base"] = f"os.environ/{variable}_API_BASE"
        changed["model_list"].append(entry)
        homelab["showroom"]["handles"].append(name)
    homelab["optillm"] |= {
        "left": {"approaches": ["none", "moa"], "max_calls": 12},
        "tight": {"approaches": ["none", "moa"], "max_calls": 2},
    }
    router["fallbacks"] = [{"chain": ["main"]}]
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
    ask_and_leave(lane, "dear", {"model": "dear-main", "stream": True})


def leave_a_root(lane: Rig, _: int) -> None:
    """Ask for what calls back, and leave while the first calls are under way."""
    ask_and_leave(lane, "coder", {"model": "left", "optillm_approach": "moa"})


def ask_and_leave(lane: Rig, backend: str, fields: dict[str, Any]) -> None:
    """Hang up as soon as a backend has been called for this very request, however long that took."""
    text = f"leaving {uuid.uuid4()}"
    body = json.dumps({"messages": [{"role": "user", "content": text}], **fields})
    address = lane.client.base_url
    connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
    with contextlib.closing(connection):
        headers = {"content-type": "application/json", **bearer(MASTER_KEY)}
        connection.request("POST", "/v1/chat/completions", body, headers)
        deadline = time.monotonic() + 60
        while not any(text in json.dumps(call.json) for call in lane.upstreams.recorder.requests(backend)):
            assert time.monotonic() < deadline, f"{backend} was never called"
            time.sleep(0.05)


SPOKEN: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/completions": {"prompt": "hello"},
    "/v1/messages": {"messages": TEXT, "max_tokens": 99},
    "/v1/responses": {"input": "hello"},
}


def break_off(lane: Rig, model: str, number: int, **fields: object) -> None:
    """Read a stream up to its first text, and leave; on each route in turn."""
    path = [*SPOKEN][number % len(SPOKEN)]
    body = {"model": model, "stream": True, **SPOKEN[path], **fields}
    with lane.client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200
        assert next((line for line in answer.iter_lines() if "heard" in line or "[demo" in line), None)


def break_off_plain(lane: Rig, number: int) -> None:
    """A stream of a plain handle."""
    break_off(lane, "slow-main", number)


def break_off_root(lane: Rig, number: int) -> None:
    """A stream of a root, all of whose calls are done by then."""
    break_off(lane, "wide", number, optillm_approach="re2")


def fail_over(lane: Rig, number: int) -> None:
    """A handle whose first rung fails."""
    assert lane.chat("chain", stream=bool(number % 2)).status_code == 200


def strip(lane: Rig, _: int) -> None:
    """A plain handle, with OptiLLM's fields."""
    answer = lane.chat("main", optillm_approach="re2", mcts_depth=3)
    assert answer.status_code == 200


def orphan(lane: Rig, _: int) -> None:
    """A call of OptiLLM's own."""
    body = {"model": "base", "messages": TEXT}
    answer = lane.post("/v1/chat/completions", body, headers=bearer(OPTILLM_KEY))
    assert answer.status_code == 200


def loop(lane: Rig, _: int) -> None:
    """A call of OptiLLM's own that asks for OptiLLM."""
    body = {"model": "boost", "messages": TEXT}
    assert lane.post("/v1/chat/completions", body, headers=bearer(OPTILLM_KEY)).status_code == 400


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


REFUSED: dict[tuple[str, ...], tuple[str | None, dict[str, Any], int]] = {
    # By caller, handle, rule and type as the labels have them: whose key, what body, which status.
    ("other", "other", "gate", "authentication_error"): ("sk-nobody-0001", {"model": "main"}, 401),
    ("prometheus", "other", "gate", "route_not_allowed"): (KEY, {"model": "main"}, 403),
    ("master", "other", "showroom", "model_not_found"): (None, {"model": "nobody"}, 404),
    ("app", "other", "showroom", "model_not_found"): (APP_KEY, {"model": "base"}, 404),
    ("app", "main", "fields", "param_not_allowed"): (
        APP_KEY,
        {"model": "main", "fallbacks": ["base"]},
        400,
    ),
    ("app", "boost", "approach", "approach_not_allowed"): (
        APP_KEY,
        {"model": "boost", "optillm_approach": "executecode"},
        400,
    ),
    ("master", "tight", "approach", "fanout_exceeded"): (
        None,
        {"model": "tight", "optillm_approach": "moa"},
        422,
    ),
}


def refused(lane: Rig, number: int) -> None:
    """Each kind of refusal."""
    for key, body, status in REFUSED.values():
        answer = lane.post(
            "/v1/chat/completions", {"messages": TEXT, **body}, headers=bearer(key) if key else None
        )
        assert answer.status_code == status, answer.text


WORK: tuple[Callable[[Rig, int], None], ...] = (
    *(hang_up, leave_a_root, break_off_plain, break_off_root, fail_over, strip, orphan, loop),
    *(messages, streamed, whole, root, refused),
)


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """
    Two workers, after a load of everything at once.

    Gateways of several workers share one folder below the temporary one, and each empties it when it starts,
    unless they are given their own (measured on LiteLLM 1.106.2).
    """
    environ = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp("metrics"))}
    with rig(document(), optillm=DEMO, workers=2, environ=environ) as running:
        running.wire.pause = 1.5
        running.upstreams.of("dear").fails("slow", seconds=10)
        running.upstreams.of("coder").fails("slow", seconds=6)
        running.upstreams.of("chain").fails(500)
        running.upstreams.of("slow").streams(4)
        work = [one for one in WORK for _ in range(TIMES)]
        with ThreadPoolExecutor(12) as pool:
            for done in [pool.submit(one, running, number) for number, one in enumerate(work)]:
                done.result()
        _settle(running)
        yield running


def _settle(lane: Rig) -> None:
    """Wait for the ends of those who left: nothing changes for three seconds."""
    deadline, before = time.monotonic() + SETTLE_SECONDS, dict[tuple[str, ...], float]()
    while (now := counted(lane)) != before and time.monotonic() < deadline:
        before = now
        time.sleep(3)


def calls(lane: Rig, group: str) -> int:
    """How many calls OptiLLM got, or a backend."""
    return sum(one.path.endswith("completions") for one in lane.backend_calls(group))


def test_each_attempt_is_one_call_of_a_backend(lane: Rig) -> None:
    """Answered, failed, or left by the client; each group's attempts are its backend's calls."""
    seen = counted(lane)
    attempts = {name[1:]: count for name, count in seen.items() if name[0] == "attempts_total" and count}
    assert attempts == {
        ("main", "answered", "main"): 4 * TIMES,
        ("dear-main", "left", "dear-main"): TIMES,
        ("slow-main", "left", "slow-main"): TIMES,
        ("chain", "failed", "chain"): TIMES,
        ("chain", "answered", "main"): TIMES,
        ("boost", "answered", "boost"): TIMES,
        ("wide", "left", "wide"): TIMES,
        ("left", "left", "left"): TIMES,
        ("base", "answered", "base"): calls(lane, "base"),
        ("coder", "answered", "coder"): calls(lane, "coder"),
    }
    by_backend = {"dear": TIMES, "slow": TIMES, "chain": TIMES, "main": 5 * TIMES}
    assert {name: calls(lane, name) for name in by_backend} == by_backend
    assert len(lane.optillm_calls) == 3 * TIMES


def test_children_and_tokens_are_those_of_the_backend(lane: Rig) -> None:
    """Every call back is its root's, and so are its tokens, also where the root's client left."""
    seen = counted(lane)
    roots = {("moa", "boost"): "run", ("re2", "wide"): "run", ("moa", "left"): "run"}
    for labels, action in roots.items():
        assert seen["optillm_children_count", *labels] == TIMES
        assert seen["approach_requests_total", action, *labels] == TIMES
    base = seen["optillm_children_sum", "moa", "boost"] + seen["optillm_children_sum", "re2", "wide"]
    assert base == calls(lane, "base") - TIMES  # the orphans
    assert seen["optillm_children_sum", "moa", "left"] == calls(lane, "coder") > 0
    assert seen["orphans_total",] == TIMES
    # LiteLLM's own account of them, the orphans' aside, which are all alike.
    orphans = {"prompt": 5 * TIMES, "completion": 13 * TIMES}
    for kind, name in (("prompt", "input"), ("completion", "output")):
        booked = sum(
            sample.value
            for sample in shown(lane)
            if sample.name == f"litellm_{name}_tokens_metric_total"
            and sample.labels["requested_model"] in {"base", "coder"}
        )
        tokens = sum(
            count for label, count in seen.items() if label[0] == "optillm_tokens_total" and label[-1] == kind
        )
        assert tokens == booked - orphans[kind] > 0


def test_each_refusal_is_counted_once(lane: Rig) -> None:
    """By caller, handle, rule and type: what clients got, and what OptiLLM got."""
    seen = counted(lane)
    # Calls for a client that had left.
    late = len([call for call in lane.returns if call.model.startswith("coder")]) - calls(lane, "coder")
    refusals = {name[1:]: count for name, count in seen.items() if name[0] == "refusals_total" and count}
    expected = Counter([*REFUSED] * TIMES)
    expected["optillm", "boost", "loop_guard", "loop_detected"] = TIMES
    expected["optillm", "coder", "loop_guard", "param_not_allowed"] = late
    assert refusals == dict(expected)
    assert late > 0
    assert {name: count for name, count in seen.items() if name[0] == "loops_total" and count} == {
        ("loops_total", "other"): TIMES
    }
    actions = {name[1:]: count for name, count in seen.items() if name[0] == "approach_requests_total"}
    assert {name: count for name, count in actions.items() if name[0] == "refused"} == {
        ("refused", "executecode", "boost"): TIMES,
        ("refused", "moa", "tight"): TIMES,
    }
    assert sum(count for name, count in seen.items() if name[0] == "rule_errors_total") == 0


def test_what_was_stripped_did_not_arrive(lane: Rig) -> None:
    """Each field once a request; none of them reached the backend."""
    seen = counted(lane)
    assert {name[1:]: count for name, count in seen.items() if name[0] == "fields_stripped_total"} == {
        ("mcts_depth", "main"): TIMES,
        ("optillm_approach", "main"): TIMES,
    }
    assert not [one for one in lane.backend_calls() if {"mcts_depth", "optillm_approach"} & one.json.keys()]


def test_what_a_person_feels_is_counted_once(lane: Rig) -> None:
    """First texts of streams, broken off or not; the speed of answers; the time of failovers and of hooks."""
    seen = counted(lane)
    first = {name[1]: count for name, count in seen.items() if name[0] == "first_token_seconds_count"}
    assert first == {
        "main": TIMES,
        "slow-main": TIMES,
        "chain": TIMES // 2,
        "boost": TIMES // 2,
        "wide": TIMES,
    }
    assert {name[1]: count for name, count in seen.items() if name[0] == "failover_seconds_count"} == {
        "chain": TIMES
    }
    speed = {name[1]: count for name, count in seen.items() if name[0] == "output_tokens_per_second_count"}
    assert {handle: speed[handle] for handle in ("main", "chain", "boost")} == {
        "main": 4 * TIMES,
        "chain": TIMES,
        "boost": TIMES,
    }
    assert seen["hook_seconds_count", "wire"] == len(lane.optillm_calls)
