"""Real OptiLLMs start from the locked installs, and behave as the gateway's rules assume."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import openai
import pytest

from litellm_homelab.demo.config import DemoConfig
from litellm_homelab.demo.thread import DemoThread, running_demo
from tests.real.optillm import VERSIONS, OptillmServer, optillm_server

pytestmark = pytest.mark.real

UPSTREAM_KEY, GATE_KEY, MODEL = "upstream-key", "gate-key", "base-7b"


@pytest.fixture(scope="module")
def upstream() -> Iterator[DemoThread]:
    """A recording upstream that serves one model."""
    with running_demo(DemoConfig.for_tests(models={"mlx": (MODEL,)})) as demo:
        yield demo


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest, upstream: DemoThread) -> Iterator[OptillmServer]:
    """One OptiLLM of each version on that upstream."""
    with optillm_server(request.param, upstream.api_base("mlx"), UPSTREAM_KEY, GATE_KEY) as running:
        yield running


@pytest.mark.parametrize(
    ("approach", "calls"),
    [
        pytest.param("", 1, id="none"),
        pytest.param("re2", 1, id="re2"),
        pytest.param("moa", 3, id="moa"),
        pytest.param("plansearch", 4, id="plansearch"),
    ],
)
def test_calls_back(server: OptillmServer, upstream: DemoThread, approach: str, calls: int) -> None:
    """Each approach calls its upstream as often as measured, with OptiLLM's own key and the plain model."""
    upstream.clear_requests()
    client = openai.OpenAI(base_url=server.api_base, api_key=GATE_KEY, max_retries=0, timeout=60)
    body = {"optillm_approach": approach} if approach else {}
    answer = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "hello"}], extra_body=body
    )

    sent = upstream.requests("mlx")
    assert answer.choices[0].message.content
    assert len(sent) == calls
    assert {(one.json or {}).get("model") for one in sent} == {MODEL}
    assert {one.headers["authorization"] for one in sent} == {f"Bearer {UPSTREAM_KEY}"}


def test_gate(server: OptillmServer, upstream: DemoThread) -> None:
    """Another key than the gate's is refused before anything is called."""
    upstream.clear_requests()
    headers = {"Authorization": "Bearer sk-other"}
    answer = httpx.post(f"{server.api_base}/chat/completions", headers=headers, json={"model": MODEL})

    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert upstream.requests("mlx") == []
