"""Slots, presence and wakes while their store is locked, full or gone: plain handles are served."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from litellm_homelab.state.sqlite import SqliteStore
from tests.adapter.lane import document, group, proxy_on

GPU = "http://127.0.0.1:8000"
SECONDS = 20.0
"""How long the store is not to be had."""
WITHIN, ROOM = 2.0, 3.0
"""Within how many seconds a request is served, and what a loaded machine may add."""
FILE = "homelab.db"


def config() -> dict[str, Any]:
    """A handle with slots and presence."""
    found = document([group("main", api_base=f"{GPU}/v1")], {}, internal=(), state=f"sqlite:///{FILE}")
    found["homelab"]["backends"] = {
        "gpu": {
            "at": [GPU],
            "slots": 4,
            "presence": {"probe_seconds": 0.5, "timeout_seconds": 1, "on_absent": "wake"},
            "wake": {"mac": "02:00:00:00:00:01", "wait_seconds": 30},
        }
    }
    return found


@contextmanager
def locked(folder: Path, _: pytest.MonkeyPatch) -> Iterator[None]:
    """Another process writes, and does not end."""
    other = sqlite3.connect(folder / FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def full(_: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every change finds the disk full."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"

    def fails(*_: object) -> None:
        raise error

    with patch.context() as broken:
        broken.setattr(SqliteStore, "_connection", fails)
        yield


@contextmanager
def gone(folder: Path, _: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder is in the place of the file."""
    for one in folder.glob(f"{FILE}*"):
        one.unlink()
    (folder / FILE).mkdir()
    try:
        yield
    finally:
        (folder / FILE).rmdir()


Way = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[None]]


@pytest.mark.parametrize("way", [locked, full, gone])
async def test_plain_handles_go_on_without_their_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    """For 20 s none is refused, and each is served as soon as the store is given up."""
    took: list[float] = []
    async with proxy_on(tmp_path, config()) as proxy:
        assert (await proxy.chat("main")).status == 200
        with way(tmp_path, monkeypatch):
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                began = time.monotonic()
                answer = await proxy.chat("main")
                took.append(time.monotonic() - began)
                assert (answer.status, answer.sent_to) == (200, ["main"]), answer.text
                await asyncio.sleep(0.2)
        assert (await proxy.chat("main")).status == 200
    print(f"{way.__name__}: {len(took)} requests, the slowest took {max(took):.2f} s")
    assert max(took) < WITHIN + ROOM
    assert sorted(took)[len(took) // 2] < WITHIN
