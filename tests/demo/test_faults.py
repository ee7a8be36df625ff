"""Fault switches, in process and on the control port."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from litellm_homelab.demo import DemoThread, Fault, guard
from tests.demo.client import HTTP

HELLO = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


def _chat(demo: DemoThread, name: str = "vllm", timeout: float = 5, **fields: object) -> httpx.Response:
    return HTTP.post(f"{demo.api_base(name)}/chat/completions", json={**HELLO, **fields}, timeout=timeout)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_status(demo: DemoThread, status: int) -> None:
    """A status fault answers in OpenAI's shape, and its text names the model and the upstream address."""
    demo.fault("vllm", str(status))
    answer = _chat(demo)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert "`m`" in error["message"]
    assert f"{demo.api_base('vllm')}/chat/completions" in error["message"]


def test_retry_after(demo: DemoThread) -> None:
    """A 429 tells how long to wait, in whole seconds and for the SDKs in milliseconds."""
    demo.fault("vllm", "429", seconds=1.5)
    headers = _chat(demo).headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1500")


def test_times(demo: DemoThread) -> None:
    """A fault for two requests is over at the third."""
    demo.fault("vllm", "500", times=2)
    assert [_chat(demo).status_code for _ in range(3)] == [500, 500, 200]


def test_down_and_up_again(demo: DemoThread) -> None:
    """A backend that is down refuses connections, also those that were kept open, and returns on its port."""
    with httpx.Client() as client:
        url = f"{demo.url('vllm')}/health"
        assert client.get(url).status_code == 200
        demo.fault("vllm", "down")
        with pytest.raises(httpx.ConnectError):
            client.get(url)
        demo.clear_fault("vllm")
        assert client.get(url).status_code == 200


def test_another_fault_brings_it_up(demo: DemoThread) -> None:
    """A backend that was down and is given another fault accepts connections again."""
    demo.fault("vllm", "down")
    demo.fault("vllm", "500")
    assert _chat(demo).status_code == 500


def test_slow(demo: DemoThread) -> None:
    """A slow backend answers in full, after the delay."""
    demo.fault("vllm", "slow", seconds=0.2)
    start = time.monotonic()
    assert _chat(demo).status_code == 200
    assert time.monotonic() - start >= 0.2


def test_silent(demo: DemoThread) -> None:
    """A silent backend takes the request and never answers; that the client left is recorded."""
    demo.fault("vllm", "silent")
    with pytest.raises(httpx.ReadTimeout):
        _chat(demo, timeout=0.1)
    deadline = time.monotonic() + 2
    while not demo.requests("vllm")[0].disconnected and time.monotonic() < deadline:
        time.sleep(0.01)
    assert demo.requests("vllm")[0].disconnected


def test_answered_clients_have_not_left(demo: DemoThread) -> None:
    """A client that got its whole answer is not recorded as gone."""
    _chat(demo)
    assert [request.disconnected for request in demo.requests("vllm")] == [False]


def test_dropped_stream(demo: DemoThread) -> None:
    """A dropped stream gives three chunks and then breaks the connection."""
    demo.fault("vllm", "drop")
    url, body = f"{demo.api_base('vllm')}/chat/completions", {**HELLO, "stream": True}
    received: list[bytes] = []
    with HTTP.stream("POST", url, json=body) as answer, pytest.raises(httpx.RemoteProtocolError):
        received.extend(answer.iter_raw())
    assert b"".join(received).count(b"data: ") == 3


def test_dropped_answer(demo: DemoThread) -> None:
    """An answer that is not streamed breaks in the middle."""
    demo.fault("vllm", "drop")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        _chat(demo)


def test_optillms_own_errors_are_strings(demo: DemoThread) -> None:
    """A status fault of the OptiLLM stand-in has OptiLLM's shape: a bare string."""
    demo.fault("optillm", "500")
    assert isinstance(_chat(demo, "optillm").json()["error"], str)


def test_too_long(demo: DemoThread) -> None:
    """A body over 8 MiB is a 413 from the OptiLLM stand-in, which lives on."""
    body = b" " * (9 * 1024 * 1024)
    assert HTTP.post(f"{demo.api_base('optillm')}/chat/completions", content=body).status_code == 413
    assert HTTP.get(f"{demo.url('optillm')}/health").status_code == 200


def _stream(demo: DemoThread, seconds: float, name: str = "vllm", path: str = "") -> bytes:
    """What a stream says within some seconds, after which the client leaves."""
    url, received = path or f"{demo.api_base(name)}/chat/completions", b""
    body = {**HELLO, "model": {"ollama": "m:3b"}.get(name, "m"), "stream": True}
    with (
        contextlib.suppress(httpx.ReadTimeout, httpx.RemoteProtocolError),
        HTTP.stream("POST", url, json=body, timeout=seconds) as answer,
    ):
        assert answer.status_code == 200
        until = time.monotonic() + seconds
        for piece in answer.iter_raw():
            received += piece
            if time.monotonic() > until:
                break
    return received


def test_comments_alone(demo: DemoThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream begins, and has nothing but comments; Ollama's has blank lines."""
    monkeypatch.setattr(guard, "COMMENT_SECONDS", 0.05)
    for name in ("vllm", "ollama"):
        demo.fault(name, "comments")
    assert set(_stream(demo, 0.5).split(b"\n\n")) == {b": demo", b""}
    assert set(_stream(demo, 0.5, "ollama", f"{demo.url('ollama')}/api/chat")) == {ord("\n")}


@pytest.mark.parametrize("kind", ["stall", "stall-comments"])
def test_a_stream_stalls(demo: DemoThread, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says a little; then nothing, or comments."""
    monkeypatch.setattr(guard, "COMMENT_SECONDS", 0.05)
    demo.fault("vllm", kind)
    said = _stream(demo, 0.5)
    assert said.count(b"data: ") == 3
    assert (b": demo" in said) == (kind == "stall-comments")
    assert b"[DONE]" not in said


@pytest.mark.parametrize("kind", ["comments", "stall", "stall-comments"])
def test_a_whole_answer_does_not_come(demo: DemoThread, kind: str) -> None:
    """There is nothing to say in between."""
    demo.fault("vllm", kind)
    with pytest.raises(httpx.ReadTimeout):
        _chat(demo, timeout=0.2)


def test_a_model_is_loaded_once(demo: DemoThread) -> None:
    """All that come meanwhile wait, lists do not; then it works."""
    demo.fault("vllm", "loading", seconds=0.6)
    began = time.monotonic()
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(_chat, demo) for _ in range(3)]
        assert HTTP.get(f"{demo.api_base('vllm')}/models", timeout=5).status_code == 200
        assert [one.result().status_code for one in asked] == [200] * 3
    assert time.monotonic() - began >= 0.6
    assert HTTP.get(f"{demo.url('control')}/backends").json()["vllm"]["fault"] is None


def test_a_black_hole_and_back(demo: DemoThread) -> None:
    """Connections are neither taken nor refused; switched off, the backend is there again."""
    demo.fault("vllm", "black-hole")
    with pytest.raises(httpx.ConnectTimeout):
        _chat(demo, timeout=0.2)
    demo.fault("vllm", "down")
    with pytest.raises(httpx.ConnectError):
        _chat(demo)
    demo.fault("vllm", "black-hole")
    demo.clear_fault("vllm")
    assert _chat(demo).status_code == 200


def test_asleep_until_woken(demo: DemoThread) -> None:
    """A wake brings it back after a while; every wake is counted, and one that is awake stays as it is."""
    wake = f"{demo.url('control')}/backends/vllm/wake"
    before = demo.wakes("vllm")
    demo.fault("vllm", "asleep", seconds=0.3)
    with pytest.raises(httpx.ConnectError):
        _chat(demo)
    assert [HTTP.post(wake).status_code for _ in range(2)] == [200, 200]
    with pytest.raises(httpx.ConnectError):
        _chat(demo)
    deadline = time.monotonic() + 10
    while HTTP.get(f"{demo.url('control')}/backends").json()["vllm"]["fault"] is not None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert _chat(demo).status_code == 200
    HTTP.post(wake)
    assert demo.wakes("vllm") - before == 3


def test_a_model_is_swapped_away(demo: DemoThread) -> None:
    """The backend lists another one and knows the configured one no more, until the fault is off."""
    demo.fault("vllm", "swapped")
    listed = HTTP.get(f"{demo.api_base('vllm')}/models").json()["data"]
    assert [one["id"] for one in listed] == ["demo-other-model"]
    assert _chat(demo).status_code == 404
    demo.fault("ollama", "swapped")
    tags = HTTP.get(f"{demo.url('ollama')}/api/tags").json()["models"]
    assert [one["name"] for one in tags] == ["demo-other-model"]
    demo.clear_fault("vllm")
    assert _chat(demo).status_code == 200
    answer = HTTP.put(f"{demo.url('control')}/backends/searxng/fault", json={"fault": "swapped"})
    assert answer.status_code == 400
    assert "searxng has no model to swap (valid for: mlx, vllm" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param("x", "Expecting value", id="no-json"),
        pytest.param("[]", 'expected an object such as {"fault": "429"}', id="no-object"),
        pytest.param('{"fault": "slwo"}', "unknown fault 'slwo' (valid: down, black-hole,", id="kind"),
        pytest.param('{"fault": "200"}', "unknown fault '200'", id="status"),
        pytest.param('{"fault": "429", "tmies": 1}', "tmies: unknown field (valid:", id="field"),
        pytest.param('{"fault": "slow", "seconds": -1}', "seconds: got -1 (valid: 0 to 3600)", id="seconds"),
        pytest.param('{"fault": "slow", "seconds": "1"}', "seconds must be a number", id="seconds-text"),
        pytest.param('{"fault": "429", "times": 0}', "times: got 0 with '429' (valid: 1 or more", id="times"),
        pytest.param('{"fault": "down", "times": 1}', "times: got 1 with 'down'", id="times-of-down"),
    ],
)  # fmt: skip
def test_wrong_switch(demo: DemoThread, body: str, message: str) -> None:
    """A switch that makes no sense is a 400 that says what is valid, and changes nothing."""
    answer = HTTP.put(f"{demo.url('control')}/backends/mlx/fault", content=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert HTTP.get(f"{demo.url('control')}/backends").json()["mlx"]["fault"] is None


def test_switch_by_http(demo: DemoThread) -> None:
    """The control port switches a fault on, shows what is left of it, and switches it off."""
    control = demo.url("control")
    HTTP.put(f"{control}/backends/vllm/fault", json={"fault": "429", "times": 3})
    assert _chat(demo).status_code == 429
    shown = HTTP.get(f"{control}/backends").json()["vllm"]["fault"]
    assert shown == {"fault": "429", "seconds": None, "times": 2}
    assert HTTP.delete(f"{control}/backends/vllm/fault").json()["fault"] is None
    assert _chat(demo).status_code == 200


def test_fault_round_trip() -> None:
    """What the control port shows is what it reads."""
    fault = Fault("slow", 1.5, 2)
    assert Fault.parse(fault.as_dict()) == fault
