"""The OptiLLM stand-in as a server: calls back, keys, errors and shapes measured on OptiLLM 0.4.0."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from litellm_homelab.demo import DemoThread, OptillmConfig, RecordedRequest, running_demo
from litellm_homelab.demo.config import DemoConfig
from tests import versions
from tests.demo.client import HTTP

HELLO: list[dict[str, Any]] = [{"role": "user", "content": "hi there"}]


def _ask(demo: DemoThread, *, key: str = "gate", **body: Any) -> httpx.Response:
    return HTTP.post(
        f"{demo.api_base('optillm')}/chat/completions",
        json={"model": "m", "messages": HELLO, **body},
        headers={"authorization": f"Bearer {key}", "x-hop": "1"},
        timeout=20,
    )


def _text(answer: httpx.Response) -> str:
    return str(answer.json()["choices"][0]["message"]["content"])


# approach -> calls back, and calls when every one is answered 400, with the status of the answer then
CALLS = {
    "re2": (1, 1, 500),
    "cot_reflection": (1, 1, 500),
    "moa": (3, 4, 200),
    "bon": (4, 4, 200),
    "rto": (4, 1, 500),
    "plansearch": (4, 1, 500),
    "self_consistency": (5, 1, 500),
    "leap": (7, 1, 500),
    "mcts": (14, 1, 500),
    "pvg": (17, 1, 500),
    "rstar": (25, 5, 500),
    "genselect": (2, 5, 200),
    "majority_voting": (1, 9, 200),
    "spl": (2, 2, 200),
    "mars": (1, 1, 200),
    "z3": (1, 1, 500),
    "readurls": (0, 0, 200),
    "longcepo": (0, 0, 500),
}


@pytest.mark.parametrize(("approach", "calls"), [(name, numbers[0]) for name, numbers in CALLS.items()])
def test_calls_back(demo: DemoThread, gated: DemoThread, approach: str, calls: int) -> None:
    """Each approach makes its number of calls, all to the same model with the upstream key."""
    answer = _ask(gated, optillm_approach=approach)
    seen = demo.requests("vllm")
    assert len(seen) == calls
    assert {request.json["model"] for request in seen} <= {"m"}
    assert {request.headers["authorization"] for request in seen} <= {"Bearer upstream-key"}
    if approach != "longcepo":
        assert _text(answer).startswith(f"[demo optillm {approach}]")


@pytest.mark.parametrize(
    ("approach", "calls", "status"), [(name, numbers[1], numbers[2]) for name, numbers in CALLS.items()]
)
def test_total_failure(demo: DemoThread, gated: DemoThread, approach: str, calls: int, status: int) -> None:
    """When upstream refuses everything, an approach gives up after its number of calls, with 500 or a 200."""
    demo.fault("vllm", "400")
    answer = _ask(gated, optillm_approach=approach)
    assert (len(demo.requests("vllm")), answer.status_code) == (calls, status)
    if status == 500:
        assert isinstance(answer.json()["error"], str)


def test_swallowed_failure(demo: DemoThread, gated: DemoThread) -> None:
    """moa turns a total failure into a 200 with OptiLLM's own words."""
    demo.fault("vllm", "400")
    assert _text(_ask(gated, optillm_approach="moa")) == "Error: Could not generate any completions"


def test_failure_text_is_upstreams(demo: DemoThread, gated: DemoThread) -> None:
    """An upstream error comes back as a 500 whose text quotes it, address and all."""
    demo.fault("vllm", "400")
    answer = _ask(gated)
    assert answer.status_code == 500
    said = answer.json()["error"]
    assert said.startswith(f"Error code: 400 - {versions.QUOTED_ERROR}[demo vllm] fault 400")


def test_falls_back_without_n(demo: DemoThread, gated: DemoThread) -> None:
    """moa asks three times where upstream refuses ``n``."""
    demo.fault("vllm", "400", times=1)
    assert _ask(gated, optillm_approach="moa").status_code == 200
    assert [request.json.get("n") for request in demo.requests("vllm")] == [3, None, None, None, 1, 1]


def test_moa_quotes_its_candidates(demo: DemoThread, gated: DemoThread) -> None:
    """The model's own text goes into the critique and the final prompt."""
    _ask(gated, optillm_approach="moa")
    prompts = [request.json["messages"][1]["content"] for request in demo.requests("vllm")]
    assert prompts[0] == "User: hi there"
    assert all("[demo vllm] heard: hi there" in prompt for prompt in prompts[1:])


def test_n_multiplies(demo: DemoThread, gated: DemoThread) -> None:
    """``n`` runs the approach so many times, but is passed on once by ``none``."""
    assert len(_ask(gated, optillm_approach="moa", n=2).json()["choices"]) == 2
    assert len(demo.requests("vllm")) == 6
    demo.clear_requests()
    assert len(_ask(gated, n=2).json()["choices"]) == 2
    assert [request.json["n"] for request in demo.requests("vllm")] == [2]


def test_n_null(gated: DemoThread) -> None:
    """``n: null`` is a 500 for every approach but ``none``."""
    assert _ask(gated, optillm_approach="moa", n=None).status_code == 500


@pytest.mark.parametrize(
    ("approach", "calls", "choices"),
    [pytest.param("re2&moa", 4, 1, id="and"), pytest.param("re2|moa", 4, 2, id="or")],
)
def test_combined(demo: DemoThread, gated: DemoThread, approach: str, calls: int, choices: int) -> None:
    """``&`` runs one approach on the other's answer, ``|`` both at once."""
    answer = _ask(gated, optillm_approach=approach)
    assert (len(demo.requests("vllm")), len(answer.json()["choices"])) == (calls, choices)


def test_unknown_in_a_combination(demo: DemoThread, gated: DemoThread) -> None:
    """An unknown name in a combination fails only after what stands before it was spent."""
    answer = _ask(gated, optillm_approach="moa&nope")
    assert (len(demo.requests("vllm")), answer.json()) == (3, {"error": "Unknown approach: nope"})


def _only(demo: DemoThread) -> RecordedRequest:
    (request,) = demo.requests("vllm")
    return request


def test_none_passes_everything_on(demo: DemoThread, gated: DemoThread) -> None:
    """``none`` passes the SDK's fields and the messages on as they are, tag off, and never streams."""
    messages = [
        {"role": "developer", "content": "d"},
        {"role": "user", "content": "<optillm_approach>none</optillm_approach>hi"},
    ]
    _ask(
        gated,
        messages=messages,
        temperature=0.5,
        user="u",
        stream=True,
        stream_options={"include_usage": True},
    )
    sent = _only(demo).json
    assert sent == {
        "model": "m", "n": 1, "temperature": 0.5, "user": "u",
        "messages": [{"role": "developer", "content": "d"}, {"role": "user", "content": "hi"}],
    }  # fmt: skip


@pytest.mark.parametrize("field", ["optillm_approach", "return_full_response"])
def test_none_fails_on_fields_it_does_not_know(demo: DemoThread, gated: DemoThread, field: str) -> None:
    """With ``none`` a field that the SDK's create() does not know is a 500 before any call."""
    answer = _ask(gated, **{field: "none"})
    message = f"Completions.create() got an unexpected keyword argument '{field}'"
    assert (answer.status_code, answer.json()) == (500, {"error": message})
    assert demo.requests("vllm") == []


def test_unknown_approach_in_a_tag_renames_the_model(demo: DemoThread, gated: DemoThread) -> None:
    """The prompt decides over the upstream model's name."""
    tagged = [{"role": "user", "content": "<optillm_approach>org/x</optillm_approach>hi"}]
    _ask(gated, messages=tagged)
    assert _only(demo).json["model"] == "org/x-m"


def test_forgery(demo: DemoThread, gated: DemoThread) -> None:
    """``extra_headers``, ``extra_body`` and ``extra_query`` in the body decide what ``none`` sends."""
    _ask(
        gated,
        extra_headers={"Authorization": "Bearer forged", "x-new": "1"},
        extra_body={"model": "org/m", "n": 2},
        extra_query={"q": "1"},
    )
    request = _only(demo)
    assert (request.headers["authorization"], request.headers["x-new"]) == ("Bearer forged", "1")
    assert (request.json["model"], request.json["n"], request.query) == ("org/m", 2, "q=1")


def test_no_header_of_the_caller_gets_through(demo: DemoThread, gated: DemoThread) -> None:
    """Upstream sees the headers of OptiLLM's synchronous SDK client, and none of the caller's."""
    _ask(gated)
    headers = _only(demo).headers
    assert "x-hop" not in headers
    assert headers["user-agent"].startswith("OpenAI/Python ")
    assert headers["x-stainless-async"] == "false"


@pytest.mark.parametrize(
    ("key", "upstream"),
    [
        pytest.param("sk-mine", "sk-mine", id="sk-key-forwarded"),
        pytest.param("plain", "upstream-key", id="other-key-dropped"),
    ],
)
def test_bearer_without_gate(demo: DemoThread, open_demo: DemoThread, key: str, upstream: str) -> None:
    """Without a gate an ``sk-`` bearer takes the place of the configured key."""
    _ask(open_demo, key=key)
    assert _only(demo).headers["authorization"] == f"Bearer {upstream}"


@pytest.mark.parametrize("path", ["chat/completions", "models"])
def test_gate(demo: DemoThread, gated: DemoThread, path: str) -> None:
    """With a gate every other key is a 401 and makes no call."""
    method = "POST" if path != "models" else "GET"
    headers = {"authorization": "Bearer sk-other"}
    answer = HTTP.request(method, f"{gated.api_base('optillm')}/{path}", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid API key"})
    assert demo.requests("vllm") == []


@pytest.mark.parametrize(
    ("fault", "seconds"), [("429", 0.01), ("500", None)], ids=["429 with a short wait", "500"]
)
def test_retries_like_the_sdk(demo: DemoThread, gated: DemoThread, fault: str, seconds: float | None) -> None:
    """A failure of the upstream that may pass is tried three times in all."""
    demo.fault("vllm", fault, seconds=seconds)
    assert _ask(gated).status_code == 500
    assert [request.headers["x-stainless-retry-count"] for request in demo.requests("vllm")] == [
        "0",
        "1",
        "2",
    ]


def test_answer_lacks_what_optillm_leaves_out(demo: DemoThread, gated: DemoThread) -> None:
    """An approach's answer has no id, object, created, prompt_tokens or total_tokens."""
    answer = _ask(gated, optillm_approach="moa").json()
    assert set(answer) == {"model", "choices", "usage"}
    assert set(answer["usage"]) == {"completion_tokens", "completion_tokens_details"}
    assert answer["usage"]["completion_tokens"] > 3 * 10


def _events(answer: httpx.Response) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_stream_of_an_approach(demo: DemoThread, gated: DemoThread) -> None:
    """An approach streams its whole text in one chunk, without usage even where it was asked for."""
    events = _events(_ask(gated, optillm_approach="moa", stream=True, stream_options={"include_usage": True}))
    assert len(events) == 1
    assert events[0]["choices"][0]["finish_reason"] == "stop"
    assert events[0]["choices"][0]["delta"]["content"].startswith("[demo optillm moa]")


def test_stream_of_none(demo: DemoThread, gated: DemoThread) -> None:
    """``none`` streams the text, the end and the usage that was asked for, from one unstreamed call."""
    events = _events(_ask(gated, stream=True, stream_options={"include_usage": True}))
    assert events[0]["choices"][0]["delta"]["content"].startswith("[demo vllm] heard: hi there")
    assert events[1]["choices"][0]["finish_reason"] == "stop"
    assert events[2]["usage"]["prompt_tokens"] > 0
    assert "stream" not in _only(demo).json


def test_models_are_upstreams(demo: DemoThread, gated: DemoThread) -> None:
    """The model list is the upstream's."""
    headers = {"authorization": "Bearer gate"}
    listed = HTTP.get(f"{gated.api_base('optillm')}/models", headers=headers).json()["data"]
    assert [model["id"] for model in listed] == ["m", "org/m"]


@pytest.mark.parametrize("path", ["completions", "responses", "embeddings"])
def test_no_other_routes(gated: DemoThread, path: str) -> None:
    """OptiLLM has chat and the model list only."""
    headers = {"authorization": "Bearer gate"}
    assert HTTP.post(f"{gated.api_base('optillm')}/{path}", json={}, headers=headers).status_code == 404


def test_goes_on_after_the_client_left(demo: DemoThread, gated: DemoThread) -> None:
    """The calls are made to the end for a client that is no longer there."""
    demo.fault("vllm", "slow", seconds=0.05)
    with pytest.raises(httpx.ReadTimeout):
        HTTP.post(
            f"{gated.api_base('optillm')}/chat/completions",
            json={"model": "m", "messages": HELLO, "optillm_approach": "self_consistency"},
            headers={"authorization": "Bearer gate"},
            timeout=0.1,
        )
    deadline = time.monotonic() + 5
    while len(demo.requests("vllm")) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(demo.requests("vllm")) == 5
    assert gated.requests("optillm")[0].disconnected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"optillm_approach": "readurls", "n": 501}, id="n"),
        pytest.param({"optillm_approach": "|".join(["re2"] * 501)}, id="or"),
        pytest.param({"optillm_approach": "mcts", "mcts_simulations": 10**9, "mcts_depth": 0}, id="mcts"),
    ],
)
def test_a_run_is_bounded(demo: DemoThread, body: dict[str, Any]) -> None:
    """However much is asked for, a run ends at the demo's limit with an error that is not retried."""
    optillm = OptillmConfig(
        upstream=demo.api_base("vllm"), gate_key="", calls_per_run=20, calls_per_second=1e4
    )
    with running_demo(DemoConfig.for_tests(optillm=optillm)) as small:
        answer = _ask(small, **body)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (503, "false")
    assert answer.json() == {"error": "demo optillm: a run may make 20 calls"}
    assert len(demo.requests("vllm")) <= 20
