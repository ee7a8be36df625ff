"""200 MB on every method and route, and requests of many parts, on a real process."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.access.asking import KEYS, TEXT
from tests.real.gated import Gated, gated
from tests.real.gateway import process_on

pytestmark = pytest.mark.real

MB = 2**20
SIZE = 200 * MB
LIMIT = 32 * MB
"""`limits.body_mb` where router.yaml says nothing."""
GROWTH = 2 * LIMIT
"""Most that the process may grow: one body at the limit, and what Python keeps of it."""
METHODS = ("GET", "DELETE", "OPTIONS", "HEAD", "POST", "PUT", "PATCH", "QUERY", "FOO")
PATHS = ("/v1/chat/completions", "/v1/models", "/metrics/", "/health", "/health/liveliness", "/nowhere", "/")
TYPES = ("application/json", "multipart/form-data; boundary=x", "application/octet-stream", "")
WHO = ("master", "client", "no key", "wrong key")
PIECE = b" " * 65_536
CHUNK = b"%x\r\n" % len(PIECE) + PIECE + b"\r\n"
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
PATIENCE = 60
HEADERS = {"Authorization": f"Bearer {KEYS['client']}", "content-type": "application/json"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gated]:
    """A gateway with the limits that nobody has set."""
    with gated(environ={"LITELLM_LOG": "ERROR"}) as running:
        yield running


def resident(gateway: Gated) -> int:
    """Bytes of memory that the gateway's process holds."""
    port = gateway.client.base_url.port
    assert port
    status = Path(f"/proc/{process_on(port).pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def status_of(
    gateway: Gated, method: str, path: str, who: str, kind: str = "application/json", *, chunked: bool
) -> int:
    """
    Send 200 MB, or as much of it as is taken, and give the status of the answer.

    A client that reads when it can no longer send; of a resetting connection nothing may be left to read.
    """
    host, port = gateway.client.base_url.host, gateway.client.base_url.port
    assert port
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {SIZE}"
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", length, f"Content-Type: {kind}"]
    lines += [f"Authorization: Bearer {KEYS[who]}"] if KEYS[who] else []
    with socket.create_connection((host, port), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        start = FORM if kind.startswith("multipart") else b"{"
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"%x\r\n" % len(start) + start + b"\r\n" if chunked else start)
            for _ in range(SIZE // len(PIECE)):
                connection.sendall(CHUNK if chunked else PIECE)
                if _answered(connection):
                    break
        return int(connection.recv(65_536).split(b" ", 2)[1])


def _answered(connection: socket.socket) -> bool:
    """Whether there is something to read, without waiting for it."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(PATIENCE)


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "in chunks"])
@pytest.mark.parametrize("who", WHO)
def test_200_mb_are_a_413_with_every_method(
    gateway: Gated, capsys: pytest.CaptureFixture[str], who: str, chunked: bool
) -> None:
    """On routes that exist and that do not, of every content type; the process does not hold them."""
    before = resident(gateway)
    asked = [(method, PATHS[0], TYPES[0]) for method in METHODS]
    asked += [("GET", path, TYPES[0]) for path in PATHS]
    asked += [
        (method, path, kind) for kind in TYPES[1:] for method, path in (("POST", PATHS[0]), ("DELETE", "/x"))
    ]
    wrong = {}
    for method, path, kind in asked:
        status = status_of(gateway, method, path, who, kind, chunked=chunked)
        if status != 413:
            wrong[f"{method} {path} {kind}"] = status
    growth = resident(gateway) - before
    with capsys.disabled():
        how = "in chunks" if chunked else "announced"
        print(f"\n200 MB x {len(asked)}, {who}, {how}: the process grew by {growth / MB:.1f} MB")
    assert wrong == {}
    assert growth < GROWTH


def test_200_mb_before_a_websocket_are_not_held(gateway: Gated) -> None:
    """An upgrade has no body; whatever answer it gets, the process does not grow by it."""
    before = resident(gateway)
    host, port = gateway.client.base_url.host, gateway.client.base_url.port
    assert port
    head = (
        f"GET /v1/realtime?model=main HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Content-Length: {SIZE}\r\n\r\n"
    )
    with (
        socket.create_connection((host, port), timeout=PATIENCE) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(head.encode())
        for _ in range(SIZE // len(PIECE)):
            connection.sendall(PIECE)
    assert resident(gateway) - before < GROWTH


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_a_small_body_changes_nothing(gateway: Gated, method: str) -> None:
    """What a method is answered without a body it is answered with one."""
    without = gateway.client.request(method, "/v1/models", headers=HEADERS)
    with_one = gateway.client.request(method, "/v1/models", headers=HEADERS, content=b'{"a": 1}')
    assert without.status_code == with_one.status_code


def many(count: int) -> dict[str, bytes]:
    """Bodies of 0.6 MB for 20,000 parts, by the route that each is for."""
    parts = [{"type": "text", "text": "a"}] * count
    items = [{"role": "user", "content": [{"type": "input_text", "text": "a"}] * count}]
    bodies: dict[str, dict[str, object]] = {
        "/v1/chat/completions": {"messages": [{"role": "user", "content": parts}]},
        "/v1/messages": {"messages": TEXT, "system": parts, "max_tokens": 5},
        "/v1/responses": {"input": items},
        "/v1/completions": {"prompt": ["a"] * count},
        "/v1beta/models/main:generateContent": {"contents": [{"role": "user", "parts": parts}]},
        "/v1/embeddings": {"input": ["a"] * count},
    }
    return {path: json.dumps({"model": "main", **body}).encode() for path, body in bodies.items()}


def test_20_000_parts_are_a_400_while_others_are_served(gateway: Gated) -> None:
    """Each of thirty such requests is turned down before a backend is called, and ten others get answers."""
    body = json.dumps({"model": "main", "messages": TEXT}).encode()
    served: list[int] = []
    stop = threading.Event()

    def others() -> None:
        with httpx.Client(base_url=gateway.client.base_url, timeout=PATIENCE) as client:
            while not stop.is_set():
                answer = client.post("/v1/chat/completions", content=body, headers=HEADERS)
                served.append(answer.status_code)

    bodies = many(20_000)
    assert len(bodies["/v1/chat/completions"]) > 600_000
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(others)
        refused = [
            gateway.client.post(path, content=content, headers=HEADERS)
            for _ in range(5)
            for path, content in bodies.items()
        ]
        for _ in range(PATIENCE * 10):
            if len(served) >= 10 or running.done():
                break
            time.sleep(0.1)
        stop.set()
        running.result()
    assert {answer.status_code for answer in refused} == {400}
    assert all("homelab.limits.parts" in answer.text for answer in refused)
    assert (set(served), len(served) >= 10) == ({200}, True)
    texts = [call.json for call in gateway.upstreams.recorder.requests()]
    assert len(texts) == len(served)


def test_as_many_parts_as_allowed_are_served(gateway: Gated) -> None:
    """1,990 parts arrive at the backend, 2,048 texts to embed too."""
    fine = many(1990)
    answer = gateway.client.post(
        "/v1/chat/completions", content=fine["/v1/chat/completions"], headers=HEADERS
    )
    assert answer.status_code == 200
    texts = json.dumps({"model": "embed", "input": ["a"] * 2048}).encode()
    answer = gateway.client.post("/v1/embeddings", content=texts, headers=HEADERS)
    assert answer.status_code == 200, answer.text[:300]
