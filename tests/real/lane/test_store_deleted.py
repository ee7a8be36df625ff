"""The counters' file is deleted or replaced under two workers, one of which is replaced as well."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.real.gateway import START_SECONDS
from tests.real.lane.rig import DEMO, MASTER_KEY, Rig, bearer, read, rig

pytestmark = pytest.mark.real

ROUTER = Path(__file__).parent / "router.yaml"
NOTICED = "was deleted or replaced while it was open"


@dataclass(frozen=True, slots=True)
class Gateway:
    """Two workers that count in `file`."""

    rig: Rig
    file: Path

    def log(self) -> str:
        """What LiteLLM has said so far."""
        return self.rig.log.read_text(encoding="utf-8", errors="replace")

    def workers(self) -> list[int]:
        """The process ids of all workers that have started, in order, those that have ended among them."""
        return [int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", self.log())]

    def started(self) -> int:
        """How many workers have begun to serve."""
        return len(re.findall(r"Application startup complete", self.log()))

    def noticed(self) -> int:
        """How often the log says that the file was lost."""
        return self.log().count(NOTICED)

    def replace_worker(self) -> None:
        """Kill one worker, and wait until another one serves in its place."""
        before = self.started()
        os.kill(self.workers()[-1], signal.SIGKILL)
        deadline = time.monotonic() + START_SECONDS
        while self.started() == before and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self.started() == before + 1, self.log()[-3000:]

    def ask(self, roots: int) -> list[httpx.Response]:
        """That many roots, eight at a time, each on a connection of its own, so that both workers serve."""
        return asyncio.run(_ask_all(self.rig.url, roots))


async def _ask_all(url: str, roots: int) -> list[httpx.Response]:
    gate = asyncio.Semaphore(8)
    limits = httpx.Limits(max_keepalive_connections=0)
    body = {"model": "boost", "optillm_approach": "moa", "messages": [{"role": "user", "content": "hello"}]}
    async with httpx.AsyncClient(
        base_url=url, headers=bearer(MASTER_KEY), timeout=120, limits=limits
    ) as client:

        async def ask() -> httpx.Response:
            async with gate:
                return await client.post("/v1/chat/completions", json=body)

        return await asyncio.gather(*(ask() for _ in range(roots)))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Two workers of stock LiteLLM with the demo's OptiLLM."""
    file = tmp_path_factory.mktemp("state") / "homelab.db"
    document = read(ROUTER)
    document["homelab"]["state"] = f"sqlite:///{file}"
    with rig(document, optillm=DEMO, workers=2) as running:
        yield Gateway(running, file)


def answered(answers: list[httpx.Response]) -> list[tuple[int, str]]:
    """Status and number of calls back of each, those that are as they should be left out."""
    seen = [(answer.status_code, answer.headers.get("x-homelab-calls", "")) for answer in answers]
    return [each for each in seen if each != (200, "3")]


def test_a_deleted_file_and_a_worker_that_starts_later(gateway: Gateway) -> None:
    """Every request succeeds afterwards, counted over both workers, and the log says once what happened."""
    assert answered(gateway.ask(16)) == []
    assert gateway.noticed() == 0
    for name in ("homelab.db", "homelab.db-wal", "homelab.db-shm"):
        (gateway.file.parent / name).unlink()
    gateway.replace_worker()

    assert answered(gateway.ask(48)) == []
    assert gateway.noticed() == 1
    assert f"homelab state sqlite:///{gateway.file}: " in gateway.log()


def test_a_replaced_file(gateway: Gateway) -> None:
    """Another database in the file's place is what both workers use from then on."""
    before, other = gateway.noticed(), gateway.file.with_name("other.db")
    sqlite3.connect(other).execute("CREATE TABLE of_another_program (number)").connection.close()
    other.replace(gateway.file)

    assert answered(gateway.ask(48)) == []
    assert gateway.noticed() == before + 2
