"""The demo's OptiLLM on version 3 of the OpenAI SDK, in a venv of its own: `pip install` may bring it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from litellm_homelab.demo import DemoConfig, DemoThread, running_demo
from tests.demo.test_optillm import CALLS
from tests.real.gateway import free_port
from tests.real.server import REPOSITORY, VENVS, running

UPSTREAM_KEY, GATE_KEY, MODEL = "upstream-key", "gate-key", "base-7b"


@pytest.fixture(scope="module")
def _upstream() -> Iterator[DemoThread]:
    with running_demo(DemoConfig.for_tests(models={"vllm": (MODEL,)})) as demo:
        yield demo


@pytest.fixture
def upstream(_upstream: DemoThread) -> DemoThread:
    """A recording upstream that serves one model."""
    _upstream.clear_fault()
    _upstream.clear_requests()
    return _upstream


@pytest.fixture(scope="module")
def api_base(_upstream: DemoThread) -> Iterator[str]:
    """The demo's OptiLLM as a process that imports openai 3."""
    port = free_port()
    command: list[str | Path] = [VENVS / "openai3" / "bin" / "python", "-m", "litellm_homelab.cli", "demo"]
    command += ["--port", "ALL=0", "--port", f"optillm={port}"]
    environ = {
        "PYTHONPATH": str(REPOSITORY),
        "OPTILLM_UPSTREAM_API_BASE": _upstream.api_base("vllm"),
        "OPTILLM_UPSTREAM_KEY": UPSTREAM_KEY,
        "OPTILLM_GATE_KEY": GATE_KEY,
    }
    with running("demo", command, environ, health=f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}/v1"


def _ask(api_base: str, approach: str) -> httpx.Response:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "optillm_approach": approach}
    headers = {"authorization": f"Bearer {GATE_KEY}"}
    return httpx.post(f"{api_base}/chat/completions", json=body, headers=headers, timeout=60)


def test_another_sdk_than_ours(api_base: str, upstream: DemoThread) -> None:
    """The calls are made by openai 3, while the tests themselves import the version that LiteLLM asks for."""
    _ask(api_base, "re2")
    versions = [request.headers["x-stainless-package-version"] for request in upstream.requests("vllm")]

    assert [version.split(".")[0] for version in versions] == ["3"]
    assert openai.__version__.split(".")[0] != "3"


@pytest.mark.parametrize(("approach", "calls"), [(name, numbers[0]) for name, numbers in CALLS.items()])
def test_calls_back(api_base: str, upstream: DemoThread, approach: str, calls: int) -> None:
    """Each approach makes its number of calls: the plain model, OptiLLM's key, a sync client's header."""
    _ask(api_base, approach)
    sent = upstream.requests("vllm")

    assert len(sent) == calls
    assert {request.json["model"] for request in sent} <= {MODEL}
    assert {request.headers["authorization"] for request in sent} <= {f"Bearer {UPSTREAM_KEY}"}
    assert {request.headers["x-stainless-async"] for request in sent} <= {"false"}


@pytest.mark.parametrize(
    ("approach", "calls", "status"), [(name, numbers[1], numbers[2]) for name, numbers in CALLS.items()]
)
def test_total_failure(api_base: str, upstream: DemoThread, approach: str, calls: int, status: int) -> None:
    """When upstream refuses everything, an approach gives up after as many calls as with the locked SDK."""
    upstream.fault("vllm", "400")
    answer = _ask(api_base, approach)

    assert (len(upstream.requests("vllm")), answer.status_code) == (calls, status)


def test_retries(api_base: str, upstream: DemoThread) -> None:
    """A 500 of the upstream is tried three times, as OptiLLM's SDK does."""
    upstream.fault("vllm", "500")

    assert _ask(api_base, "re2").status_code == 500
    assert len(upstream.requests("vllm")) == 3
