"""A server that sleeps and is there 90 s after its magic packet: what twenty clients see of it meanwhile."""

from __future__ import annotations

import copy
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from litellm_homelab.backends import waking
from tests.config import shipped
from tests.real import gateway as real
from tests.real.gateway import Gateway
from tests.real.lane import rig

pytestmark = pytest.mark.real

WAKES_AFTER = 90.0
"""Seconds from the packet to the first connection that is taken."""
COMMENT_EVERY, ROOM = 15.0, 10.0
"""The longest silence of a stream, and what a loaded machine may add."""
WAITING = 20
PATIENCE = 300.0
TEXT = [{"role": "user", "content": "hello"}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": TEXT},
    "/v1/messages": {"messages": TEXT, "max_tokens": 99},
    "/v1/responses": {"input": "hello"},
    "/v1/completions": {"prompt": "hello"},
}
MAC, SPARE_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"


class Network:
    """Where magic packets are sent: it counts them, and says when the first one came."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.first = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            self.packets.append(self._socket.recv(1024))
            if self.sent(MAC):
                self.first.set()

    def sent(self, mac: str) -> int:
        """How many packets named a machine."""
        return self.packets.count(waking.magic_packet(mac))


def document(to: str) -> dict[str, Any]:
    """The shipped file; the box of `main` is waited for, that of `vllm-qwen` is not: it has a fallback."""
    changed = copy.deepcopy(shipped.ROUTER)
    presence = {"probe_seconds": 1, "timeout_seconds": 1, "on_absent": "wake"}
    wake = {"to": to, "wait_seconds": PATIENCE, "cooldown_seconds": PATIENCE}
    changed["homelab"]["backends"] = {
        "box": {"at": ["os.environ/MAIN_API_BASE"], "presence": presence, "wake": {**wake, "mac": MAC}},
        "spare": {
            "at": ["os.environ/VLLM_QWEN_API_BASE"],
            "presence": presence,
            "wake": {**wake, "mac": SPARE_MAC, "meanwhile": "fallback"},
        },
    }
    changed["router_settings"]["disable_cooldowns"] = True
    return changed


@pytest.fixture(scope="module")
def network() -> Network:
    """Where packets go."""
    return Network()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[Gateway]:
    """Two workers on `document`."""
    folder: Path = tmp_path_factory.mktemp("wake")
    shutil.copy(shipped.FOLDER / "registry.json", folder)
    config = folder / "router.yaml"
    config.write_text(yaml.safe_dump(document(network.address), sort_keys=False), encoding="utf-8")
    with real.gateway(config, arguments=("--num_workers", "2", *rig.PATIENCE)) as running:
        yield running


@dataclass
class Seen:
    """What one client saw of an answer."""

    status: int
    body: bytes = b""
    silences: list[float] = field(default_factory=list)
    """Seconds before each of its pieces."""


def ask(gateway: Gateway, path: str, model: str, *, stream: bool) -> Seen:
    """One request, and when the bytes of its answer came."""
    last = time.monotonic()
    body = {"model": model, "stream": stream, **BODIES[path]}
    with gateway.client.stream("POST", path, json=body, timeout=PATIENCE) as answer:
        seen = Seen(answer.status_code)
        for piece in answer.iter_raw():
            seen.silences.append(time.monotonic() - last)
            last, seen.body = time.monotonic(), seen.body + piece
    return seen


def twenty(gateway: Gateway, pool: ThreadPoolExecutor) -> tuple[list[Future[Seen]], list[Future[Seen]]]:
    """Clients on every route: half of them get their answers whole, half as streams."""
    paths = [*BODIES] * (WAITING // len(BODIES) // 2) + [*BODIES][: WAITING // 2 % len(BODIES)]
    whole, streamed = (
        [pool.submit(ask, gateway, path, "main", stream=stream) for path in paths] for stream in (False, True)
    )
    return whole, streamed


def until_known(gateway: Gateway, backend: str, state: str) -> None:
    """Wait until the gateway knows how a backend is, three times in a row: it has two workers."""
    deadline, held = time.monotonic() + PATIENCE, 0
    while held < 3:
        assert time.monotonic() < deadline, f"{backend} never was {state}"
        text = gateway.client.get("/metrics/").text
        line = f'homelab_backend_state{{backend="{backend}",state="{state}"}} 1.0'
        held = held + 1 if line in text else 0
        time.sleep(1)


def test_twenty_clients_wait_90_seconds_for_one_wake(gateway: Gateway, network: Network) -> None:
    """All are served by the box, streams have a byte every 15 s, and one packet was sent."""
    for name in ("mlx", "vllm"):
        gateway.demo.fault(name, "down")
    for backend in ("box", "spare"):
        until_known(gateway, backend, "absent")
    gateway.demo.clear_requests()
    with ThreadPoolExecutor(WAITING + 1) as pool:
        whole, streamed = twenty(gateway, pool)
        assert network.first.wait(PATIENCE)
        began = time.monotonic()
        meanwhile_the_fallback_answers(gateway, network)
        time.sleep(max(0.0, began + WAKES_AFTER / 2 - time.monotonic()))
        late = pool.submit(ask, gateway, "/v1/chat/completions", "main", stream=False)
        time.sleep(max(0.0, began + WAKES_AFTER - time.monotonic()))
        assert not any(one.done() for one in (*whole, *streamed, late))
        gateway.demo.clear_fault("mlx")
        answers = [one.result(PATIENCE) for one in (*whole, *streamed, late)]
        streams = [one.result() for one in streamed]
    assert [one.status for one in answers] == [200] * (WAITING + 1), [one.body for one in answers]
    assert sum(one.method == "POST" for one in gateway.demo.requests("mlx")) == WAITING + 1
    silence = max(max(one.silences) for one in streams)
    print(f"longest silence of {len(streams)} streams that waited {WAKES_AFTER:.0f} s: {silence:.1f} s")
    assert silence < COMMENT_EVERY + ROOM
    assert min(one.body.count(b": waiting\n\n") for one in streams) >= WAKES_AFTER // COMMENT_EVERY - 1
    assert network.sent(MAC) == 1
    assert network.sent(SPARE_MAC) == 1


def meanwhile_the_fallback_answers(gateway: Gateway, network: Network) -> None:
    """The handle with a fallback does not wait for its own box, which is woken once for all requests."""
    for _ in range(4):
        answer = gateway.chat("vllm-qwen")
        assert (answer.status_code, answer.json()["model"]) == (200, "vllm-qwen")
    assert sum(one.method == "POST" for one in gateway.demo.requests("ollama")) == 4
    assert network.sent(SPARE_MAC) == 1


def test_a_second_request_within_the_cooldown_sends_nothing(gateway: Gateway, network: Network) -> None:
    """The box is away again: the request waits, and the cooldown of the first packet counts."""
    gateway.demo.fault("mlx", "down")
    until_known(gateway, "box", "absent")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, gateway, "/v1/chat/completions", "main", stream=False)
        until_known(gateway, "box", "waking")
        time.sleep(2)
        assert network.sent(MAC) == 1
        gateway.demo.clear_fault("mlx")
        assert waiting.result(PATIENCE).status == 200
