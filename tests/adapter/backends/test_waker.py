"""Waking over real sockets and processes on this machine: once for all, and counted."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.adapter.backends import waker
from litellm_homelab.adapter.backends.waker import Waker
from litellm_homelab.backends import waking
from litellm_homelab.config.sections import WakeSection
from litellm_homelab.state.memory import MemoryStore


class Sent:
    """What was sent, in the place of sending."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, backend: str, _: WakeSection) -> None:
        """Note it."""
        self.names.append(backend)


@pytest.fixture
def sent() -> Iterator[Sent]:
    """Nothing leaves this process."""
    found = Sent()
    waker.send_with(found)
    yield found
    waker.send_with(None)


async def settled() -> None:
    """Let tasks run."""
    for _ in range(20):
        await asyncio.sleep(0)


def sections(**changes: Any) -> Mapping[str, WakeSection]:
    """One backend."""
    return {"box": WakeSection(**{"mac": "02:00:00:00:00:01", "cooldown_seconds": 0.2, **changes})}


async def test_four_workers_send_one_packet(sent: Sent) -> None:
    """And each of them has twenty requests that wait."""
    store, counted = MemoryStore(), []
    workers = [Waker(sections(), store, lambda *what: counted.append(what)) for _ in range(4)]
    for _ in range(20):
        for one in workers:
            one.wake("box")
    await settled()
    assert sent.names == ["box"]
    assert counted == [("box", "sent")]


async def test_after_its_cooldown_it_is_woken_again(sent: Sent) -> None:
    """A packet may be lost."""
    one = Waker(sections(), MemoryStore(), lambda *_: None)
    one.wake("box")
    await settled()
    await asyncio.sleep(0.25)
    one.wake("box")
    await settled()
    assert sent.names == ["box", "box"]


async def test_a_packet_arrives() -> None:
    """At the address that `to` says."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        (section,) = sections(to=f"127.0.0.1:{receiver.getsockname()[1]}").values()
        await waker.send("box", section)
        assert receiver.recv(200) == waking.magic_packet("02:00:00:00:00:01")


async def test_a_command_runs_without_a_shell(tmp_path: Path) -> None:
    """Its arguments are passed as they are written."""
    odd = tmp_path / "woken; $HOME"
    (section,) = sections(mac=None, command=[sys.executable, "-c", f"open({str(odd)!r}, 'w')"]).values()
    await waker.send("box", section)
    assert os.path.exists(odd)  # noqa: ASYNC240, PTH110 - one look at the end


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"command": [sys.executable, "-c", "raise SystemExit(3)"]}, id="exit status"),
        pytest.param({"command": ["no-such-program-of-ours"]}, id="no such program"),
        pytest.param({"url": "http://127.0.0.1:9/wake"}, id="url refused"),
    ],
)
async def test_a_wake_that_fails_is_counted(changes: dict[str, Any]) -> None:
    """The request waits all the same: the machine may be switched on by hand."""
    counted: list[tuple[str, ...]] = []
    one = Waker(sections(mac=None, **changes), MemoryStore(), lambda *what: counted.append(what))
    one.wake("box")
    async with asyncio.timeout(30):
        while not counted:  # noqa: ASYNC110 - a process that ends sets no event of ours
            await asyncio.sleep(0.02)
    assert counted == [("box", "failed")]
