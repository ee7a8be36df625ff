"""Backends, OptiLLM and clients fail around one running gateway."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.faults.killed import Killable
from tests.faults.rig import OK, Faulty, faulty
from tests.faults.table import fault
from tests.real.gateway import free_port
from tests.real.lane.relay import Relay
from tests.real.lane.rig import GATE_KEY, MASTER_KEY, bearer, callers_key
from tests.real.server import REPOSITORY, VENVS
from tests.real.upstreams import listening

pytestmark = pytest.mark.real

OPTILLM = "0.4.0"
SLOW_CLIENTS = 200
KEY = "sk-optillm-optillm"
MESSAGES = [{"role": "user", "content": "hello"}]


@dataclass(frozen=True, slots=True)
class Lab:
    """The gateway, and the servers that are killed."""

    gateway: Faulty
    box: Killable
    optillm: Killable

    def post(self, model: str, approach: str | None = None) -> httpx.Response:
        """One chat completion."""
        chosen = {} if approach is None else {"optillm_approach": approach}
        return self.gateway.rig.post("/v1/chat/completions", {"model": model, "messages": MESSAGES, **chosen})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A gateway on a real OptiLLM, and on a backend that streams without an end."""
    folder, back = tmp_path_factory.mktemp("lab"), Relay()
    ports = {name: free_port() for name in ("box", "optillm")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(listening(back))
        for name in ports:
            (folder / name).mkdir()
        dying = [sys.executable, "-m", "tests.faults.dying", str(ports["box"])]
        box = Killable(dying, urls["box"], folder / "box", {"PYTHONPATH": str(REPOSITORY)})
        command = [str(VENVS / f"optillm-{OPTILLM}" / "bin" / "optillm"), "--approach", "none"]
        command += ["--host", "127.0.0.1", "--port", str(ports["optillm"]), "--base-url", f"{upstream}/v1"]
        command += ["--optillm-api-key", GATE_KEY]
        health = f"{urls['optillm']}/health"
        optillm = Killable(command, health, folder / "optillm", {"OPENAI_API_KEY": KEY})
        bases = {f"{name.upper()}_API_BASE": f"{url}/v1" for name, url in urls.items()}
        for server in (box, optillm):
            stack.callback(server.kill)
            server.start()
        with faulty("memory://", folder, bases) as gateway:
            assert callers_key(gateway.rig.document, "optillm") == KEY
            back.target = gateway.rig.url
            yield Lab(gateway, box, optillm)


@fault(
    "Backends and OptiLLM",
    "a backend is killed in mid-stream",
    sees="the words so far, then an error event; later requests get an error until it is back",
    lost="the rest of that answer; its slot is given back",
    recovers="with the next request once it is back",
)
def test_a_backend_dies_in_mid_stream(lab: Lab) -> None:
    """Its only slot is free again, which another request gets as soon as it is back."""

    def stream() -> Generator[str, None, None]:
        body = {"model": "box", "stream": True, "messages": MESSAGES}
        with lab.gateway.rig.client.stream("POST", "/v1/chat/completions", json=body) as answer:
            assert answer.status_code == 200
            yield from (line for line in answer.iter_lines() if line.startswith("data: "))

    lines = []
    for number, line in enumerate(stream()):
        lines.append(line)
        if number == 3:
            lab.box.kill()
    last = [json.loads(line.removeprefix("data: ")) for line in lines if "[DONE]" not in line][-1]
    assert last["error"]["message"], lines[-3:]
    assert "real-box" not in "".join(lines)
    assert lab.post("box").status_code >= 500
    lab.box.start()
    with contextlib.closing(stream()) as again:
        assert "word" in next(line for line in again if "word" in line)


@fault(
    "Backends and OptiLLM",
    "OptiLLM is killed in mid-fan-out",
    sees="an error with status 500 or above, and the same until it is back; other handles are served",
    lost="that request; OptiLLM's calls that the backends had begun end without a reader",
    recovers="with the next request once it is back",
)
def test_optillm_dies_in_mid_fan_out(lab: Lab) -> None:
    """No call of the lost request is made after it; the next one is whole, with its own count."""
    base, rig = lab.gateway.rig.upstreams.of("base"), lab.gateway.rig
    assert lab.post("boost", approach="moa").headers["x-homelab-calls"] == "3"
    rig.clear()
    base.fails("slow", seconds=2)
    found: list[int] = []
    client = threading.Thread(target=lambda: found.append(lab.post("boost", approach="moa").status_code))
    client.start()
    give_up_at = time.monotonic() + 60
    while not rig.backend_calls("base") and time.monotonic() < give_up_at:
        time.sleep(0.05)
    lab.optillm.kill()
    client.join(timeout=60)
    base.works()
    calls = len(rig.backend_calls("base"))
    assert found[0] >= 500
    assert lab.post("boost", approach="moa").status_code >= 500
    assert lab.post("main").status_code == 200
    assert len(rig.backend_calls("base")) == calls < 3
    lab.optillm.start()
    answer = lab.post("boost", approach="moa")
    assert (answer.status_code, answer.headers["x-homelab-calls"]) == (200, "3")


@contextlib.contextmanager
def slow_clients(url: str, number: int) -> Iterator[list[socket.socket]]:
    """Clients that have sent a part of a request: half of them of its head, half of its body."""
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {MASTER_KEY}\r\n"
    whole = f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n" + '{"model": "main"'
    with contextlib.ExitStack() as stack:
        clients = []
        for one in range(number):
            client = socket.create_connection((address.hostname, address.port), timeout=10)
            clients.append(stack.enter_context(client))
            client.sendall((whole if one % 2 else head).encode())
        yield clients


@fault(
    "Clients",
    "200 clients that send a request slowly and never end it",
    sees="others are served as ever",
    lost="nothing; no request of theirs reaches a backend",
    recovers="a connection is closed with its client",
)
def test_slow_clients(lab: Lab) -> None:
    """Each of them has a connection, and nothing more."""
    descriptors = Path(f"/proc/{lab.gateway.pid}/fd")
    before = len([*descriptors.iterdir()])
    with slow_clients(lab.gateway.rig.url, SLOW_CLIENTS) as clients:
        for _ in range(5):
            for client in clients:
                client.sendall(b" ")
            assert lab.gateway.ask("main", "free") == {"main": OK, "free": OK}
            assert (lab.gateway.sent()["main"], lab.gateway.sent()["free"]) == (1, 1)
    give_up_at = time.monotonic() + 30
    while len([*descriptors.iterdir()]) > before + 10 and time.monotonic() < give_up_at:
        time.sleep(0.1)
    assert len([*descriptors.iterdir()]) <= before + 10


HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "a line break": "main\nHTTP/1.1 200 OK",
    "a quote": 'main"} 1\nhomelab_requests_total{x="y',
    "a NUL": "main\0",
    "a lone surrogate": "main\ud800",
    "a path": "../../etc/passwd",
    "a token": "base@homelab.aaaa.1.9999999999.bbbb",
    "a reference": "os.environ/LITELLM_MASTER_KEY",
    "100,000 characters": "m" * 100_000,
    "right to left": "\u202eniam",
    "a group of the backroom": "base",
}


@fault(
    "Clients",
    "hostile model names: scripts, line breaks, quotes, NUL, lineage tokens, 100,000 characters",
    sees="a refusal with status 400 or 404",
    lost="nothing; no name becomes a label of a metric, and none reaches a backend",
    recovers="there is nothing to recover",
)
def test_hostile_names(lab: Lab) -> None:
    """Each in the body and in the path, one after the other."""
    lab.gateway.rig.clear()
    for what, name in HOSTILE.items():
        content = json.dumps({"model": name, "messages": MESSAGES})
        headers = {**bearer(MASTER_KEY), "Content-Type": "application/json"}
        answer = lab.gateway.rig.client.post("/v1/chat/completions", content=content, headers=headers)
        assert answer.status_code in {400, 404}, (what, answer.text)
        assert "<script>" not in answer.text or answer.headers["content-type"] == "application/json", what
    assert sum(lab.gateway.sent().values()) == 0
    metrics = lab.gateway.rig.client.get("/metrics/", headers=bearer(MASTER_KEY)).text
    ours = [line for line in metrics.splitlines() if line.startswith("homelab_")]
    assert ours
    assert not [line for line in ours if "script" in line or "passwd" in line or 'x="y' in line]
    assert lab.gateway.ask("main") == {"main": OK}
