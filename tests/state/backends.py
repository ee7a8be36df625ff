"""A pytest plugin: the three stores, each for real, so that one suite runs over all of them."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from litellm_homelab import state

PROCESS_SHARED = ["sqlite", pytest.param("redis", marks=pytest.mark.real)]
"""The stores that several processes may share."""


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real redis-server on a free port of 127.0.0.1, without persistence, for this session only."""
    with redis_server(tmp_path_factory.mktemp("redis"), free_port()) as url:
        yield url


@pytest.fixture(params=["memory", *PROCESS_SHARED])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> state.Location:
    """Where each store lives in this test."""
    if request.param == "redis":
        return state.parse(request.getfixturevalue("redis_url"), tmp_path)
    url = {"memory": "memory://", "sqlite": "sqlite:///state.db"}[request.param]
    return state.parse(url, tmp_path)


@pytest.fixture
async def store(location: state.Location) -> AsyncIterator[state.Store]:
    """One store of each kind, closed afterwards."""
    opened = state.connect(location)
    yield opened
    await opened.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def redis_server(folder: Path, port: int, *, persistent: bool = False) -> Iterator[str]:
    """Run redis-server until the block ends, then kill it; its state URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("redis-server is not installed (Debian: apt-get install redis-server)")
    options = ["--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    options += ["--appendonly", "yes" if persistent else "no"]
    with subprocess.Popen([program, "--port", str(port), *options], stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(server, port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()
            server.wait(timeout=10)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Wait until it listens: one that has ended left the port to another server."""
    give_up_at = time.monotonic() + 10
    while server.poll() is None and time.monotonic() < give_up_at:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as found:
            found.sendall(b"INFO server\r\n")
            if f"process_id:{server.pid}\r".encode() in found.recv(65536):
                return
        time.sleep(0.02)
    pytest.fail(f"redis-server did not listen on port {port} within 10 s, exit {server.poll()}")
