"""Redis fails under a running gateway."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.rig import CLOSED, SERVED, Faulty, faulty
from tests.faults.table import fault
from tests.real.gateway import free_port
from tests.state.backends import redis_server

pytestmark = pytest.mark.real

PAUSE_SECONDS = 1.1
"""A store of quotas that failed is asked again after a second (`quotas/book.py`)."""
SEES = "503 `policy_error` on OptiLLM handles and where a quota counts; others are served"


class Server:
    """A Redis on a port of its own that a test ends and starts again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder, self._stack = folder, contextlib.ExitStack()

    def start(self) -> None:
        """Begin with nothing."""
        self._stack.enter_context(redis_server(self._folder, self.port))

    def kill(self) -> None:
        """Kill -9."""
        self._stack.close()

    def say(self, command: str) -> str:
        """Its answer to one command."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as server:
            server.sendall(f"{command}\r\n".encode())
            return server.recv(65536).decode()

    @property
    def pid(self) -> int:
        """Its process."""
        (line,) = (one for one in self.say("INFO server").splitlines() if one.startswith("process_id:"))
        return int(line.partition(":")[2])


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The Redis that the gateway counts in."""
    server = Server(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def gateway(redis: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    """One gateway for all faults of this file."""
    with faulty(redis.url, tmp_path_factory.mktemp("clock")) as running:
        yield running


@pytest.fixture(autouse=True)
def served(gateway: Faulty) -> Iterator[None]:
    """Every handle is served before a fault, and after it without a restart."""
    assert gateway.ask() == SERVED
    yield
    time.sleep(PAUSE_SECONDS)
    assert gateway.ask() == SERVED
    assert gateway.sent()["base"] == 3


def closed(gateway: Faulty, says: str) -> None:
    """What must count is refused and not sent; the log says why."""
    assert gateway.ask() == CLOSED
    sent = gateway.sent()
    assert (sent["main"], sent["box"], sent["free"], sent["boost"]) == (1, 1, 0, 0)
    assert says in gateway.said()


@fault(
    "Redis",
    "killed",
    sees=SEES,
    lost="the counts of OptiLLM requests under way; each worker restores what it has counted of quotas",
    recovers="by itself, within a second of its return",
)
def test_killed(gateway: Faulty, redis: Server) -> None:
    """Kill -9, and later another one with nothing in it."""
    redis.kill()
    try:
        closed(gateway, "the server cannot be reached")
    finally:
        redis.start()


@fault(
    "Redis",
    "paused: connected, and does not answer",
    sees=f"{SEES}; a quota's answer takes up to 5 s, an OptiLLM handle's up to 10 s",
    lost="nothing",
    recovers="by itself, within a second of its return",
)
def test_paused(gateway: Faulty, redis: Server) -> None:
    """SIGSTOP, as a machine that swaps or a container that is frozen."""
    pid = redis.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        closed(gateway, "the server does not answer in time")
    finally:
        os.kill(pid, signal.SIGCONT)


@fault(
    "Redis",
    "full (`maxmemory` with `noeviction`)",
    sees=SEES,
    lost="nothing",
    recovers="by itself, once it has memory",
)
def test_full(gateway: Faulty, redis: Server) -> None:
    """It reads and takes nothing new."""
    assert redis.say("CONFIG SET maxmemory-policy noeviction") == "+OK\r\n"
    assert redis.say("CONFIG SET maxmemory 1") == "+OK\r\n"
    try:
        closed(gateway, "the server is out of memory")
    finally:
        redis.say("CONFIG SET maxmemory 0")
