"""Servers that go away and come back, behind real workers: what is asked, listed and answered."""

from __future__ import annotations

import copy
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.config import shipped
from tests.real import gateway as real
from tests.real.gateway import Gateway
from tests.real.lane import rig
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

EVERY = 1.0
"""Seconds between two probes of these tests."""
PATIENCE = 120
WAITING = 20


class Switch:
    """What a wake reaches: it counts, and calls whoever is interested."""

    def __init__(self) -> None:
        self.woken = 0
        self.then: Callable[[], None] = lambda: None
        self.app = Starlette(routes=[Route("/wake", self._wake, methods=["POST"])])

    async def _wake(self, _: Request) -> Response:
        self.woken += 1
        threading.Thread(target=self.then).start()
        return Response(status_code=204)


def document(wake: str) -> dict[str, Any]:
    """The shipped file with presence on three servers: one falls back, one refuses, one is woken."""
    changed = copy.deepcopy(shipped.ROUTER)
    presence = {"probe_seconds": EVERY, "timeout_seconds": 1}
    changed["homelab"]["backends"] = {
        "gpu-box": {"at": ["os.environ/VLLM_QWEN_API_BASE"], "presence": presence},
        "mac": {"at": ["os.environ/MAIN_API_BASE"], "kind": "mlx", "presence": presence},
        "box": {
            "at": ["os.environ/OLLAMA_QWEN_API_BASE"],
            "presence": {**presence, "on_absent": "wake"},
            "wake": {"url": wake, "wait_seconds": 60, "cooldown_seconds": 60},
        },
    }
    changed["homelab"]["showroom"]["handles"].append("ollama-qwen")
    changed["homelab"]["showroom"]["internal"].remove("ollama-qwen")
    changed["router_settings"]["disable_cooldowns"] = True
    return changed


@pytest.fixture(scope="module")
def switch() -> Switch:
    """What is called to wake the box."""
    return Switch()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, switch: Switch) -> Iterator[Gateway]:
    """Two workers on `document`."""
    folder = tmp_path_factory.mktemp("presence")
    shutil.copy(shipped.FOLDER / "registry.json", folder)
    with listening(switch.app) as url:
        config = folder / "router.yaml"
        config.write_text(yaml.safe_dump(document(f"{url}/wake"), sort_keys=False), encoding="utf-8")
        with real.gateway(config, arguments=("--num_workers", "2", *rig.PATIENCE)) as running:
            yield running


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so, three times in a row: two workers know it one after the other."""
    deadline, held = time.monotonic() + PATIENCE, 0
    while held < 3:
        assert time.monotonic() < deadline, "it never came to be so"
        held = held + 1 if condition() else 0
        time.sleep(0.2)


def listed(gateway: Gateway) -> list[str]:
    """The names that a client sees."""
    return [one["id"] for one in gateway.client.get("/v1/models").json()["data"]]


def probes(gateway: Gateway, backend: str) -> int:
    """How often a server was asked for its models."""
    return sum(one.is_probe for one in gateway.demo.requests(backend, probes=True))


def test_two_workers_probe_once_an_interval(gateway: Gateway) -> None:
    """By the server's own count; the state store elects who asks."""
    until(lambda: probes(gateway, "mlx") >= 2)
    gateway.demo.clear_requests()
    began = time.monotonic()
    time.sleep(8 * EVERY)
    seen, passed = probes(gateway, "mlx"), (time.monotonic() - began) / EVERY
    assert 2 <= seen <= passed + 2
    assert {one.path for one in gateway.demo.requests("mlx", probes=True)} == {"/v1/models"}


def test_a_server_that_goes_away_is_left_out_and_comes_back(gateway: Gateway) -> None:
    """Listing, answers and metrics agree."""
    assert "main" in listed(gateway)
    gateway.demo.fault("mlx", "down")
    try:
        until(lambda: "main" not in listed(gateway))
        gateway.demo.clear_requests()
        answer = gateway.chat("main")
        assert (answer.status_code, answer.json()["error"]["type"]) == (503, "model_absent")
        assert "retry-after" in answer.headers
        metrics = gateway.client.get("/metrics/").text
        assert 'homelab_backend_state{backend="mac",state="absent"} 1.0' in metrics
    finally:
        gateway.demo.clear_fault("mlx")
    until(lambda: "main" in listed(gateway))
    until(lambda: gateway.chat("main").status_code == 200)


def test_the_chain_goes_on_without_a_try(gateway: Gateway) -> None:
    """The first request may meet the refused connection; later ones do not wait for one."""
    gateway.demo.fault("vllm", "down")
    try:
        assert gateway.chat("vllm-qwen").status_code == 200
        until(lambda: gateway.chat("vllm-qwen").status_code == 200)
        began = time.monotonic()
        answer = gateway.chat("vllm-qwen")
        assert (answer.status_code, answer.json()["model"]) == (200, "vllm-qwen")
        assert time.monotonic() - began < 30
        assert "vllm-qwen" in listed(gateway)
    finally:
        gateway.demo.clear_fault("vllm")


def test_twenty_clients_wait_for_one_wake(gateway: Gateway, switch: Switch) -> None:
    """All are served once the box is there; a second round within the cooldown sends nothing."""
    gateway.demo.fault("ollama", "down")
    until(lambda: 'homelab_backend_state{backend="box",state="absent"} 1.0' in metrics_of(gateway))

    def comes_up() -> None:
        time.sleep(3)
        gateway.demo.clear_fault("ollama")

    switch.then = comes_up
    with ThreadPoolExecutor(WAITING) as pool:
        answers = list(pool.map(lambda _: gateway.chat("ollama-qwen"), range(WAITING)))
    assert [answer.status_code for answer in answers] == [200] * WAITING
    assert switch.woken == 1
    assert max(float(one.headers.get("x-homelab-queue-seconds", 0)) for one in answers) >= 1
    gateway.demo.fault("ollama", "down")
    try:
        until(lambda: 'homelab_backend_state{backend="box",state="absent"} 1.0' in metrics_of(gateway))
        with pytest.raises(httpx.TimeoutException):
            gateway.client.post(
                "/v1/chat/completions",
                json={"model": "ollama-qwen", "messages": [{"role": "user", "content": "hello"}]},
                timeout=5,
            )
        assert switch.woken == 1
    finally:
        gateway.demo.clear_fault("ollama")


def metrics_of(gateway: Gateway) -> str:
    """What Prometheus would read."""
    return gateway.client.get("/metrics/").text
