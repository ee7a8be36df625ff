"""Workers tell each other what they know when one of them is asked for the page, and do nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from litellm_homelab.adapter.page import sharing
from litellm_homelab.adapter.page.meeting import GONE_SECONDS, MeetingPlace
from litellm_homelab.adapter.page.sharing import Sharing
from litellm_homelab.page.facts import WorkerFacts
from tests.page import sample


class Worker(Sharing):
    """A worker that knows one thing, its name, and counts how often it is asked."""

    def __init__(self, place: MeetingPlace, name: str, workers: int = 2) -> None:
        super().__init__(self.knows, workers, place)
        self.worker = name
        self.asked = 0

    def knows(self) -> WorkerFacts:
        """Its facts."""
        self.asked += 1
        return sample.worker(worker=self.worker)


@pytest.fixture
def place() -> Iterator[MeetingPlace]:
    """A meeting place with a short path, as a socket's has to be."""
    with tempfile.TemporaryDirectory(prefix="meet-") as folder:
        yield MeetingPlace(Path(folder) / "sockets", "gateway")


@contextlib.asynccontextmanager
async def listening(*workers: Worker) -> AsyncIterator[None]:
    """Workers that answer each other."""
    for one in workers:
        one.start()
        assert one._task is not None
        await one._task
    try:
        yield
    finally:
        for one in workers:
            one.stop()


def names(found: list[WorkerFacts]) -> list[str]:
    """Whose facts they are."""
    return [one.worker for one in found]


async def test_one_worker_has_no_socket(place: MeetingPlace) -> None:
    """There is no worker to share with, and no task."""
    one = Worker(place, "one", workers=1)
    one.start()
    assert names(await one.facts()) == ["one"]
    assert one._task is None
    assert not place.has("one")


async def test_a_worker_does_nothing_while_no_one_looks(place: MeetingPlace) -> None:
    """No task that runs, no timer that would wake it, and what it knows is not even gathered."""
    one, two = Worker(place, "one"), Worker(place, "two")
    async with listening(one, two):
        loop = asyncio.get_running_loop()
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert loop._scheduled == []  # type: ignore[attr-defined]
        assert (one.asked, two.asked) == (0, 0)
        await one.facts()
        for _ in range(5):
            await asyncio.sleep(0)
        assert (one.asked, two.asked) == (1, 1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []  # type: ignore[attr-defined]


async def test_the_first_look_has_what_all_know(place: MeetingPlace) -> None:
    """Whichever worker is asked."""
    one, two, three = (Worker(place, name, 3) for name in ("one", "two", "three"))
    async with listening(one, two, three):
        assert names(await one.facts()) == ["one", "three", "two"]
        assert names(await two.facts()) == ["two", "one", "three"]


async def test_another_gateway_is_not_asked(place: MeetingPlace) -> None:
    """Two gateways of one user meet in one folder."""
    one, other = Worker(place, "one"), Worker(MeetingPlace(place._folder, "other"), "two")
    async with listening(one, other):
        assert names(await one.facts()) == ["one"]
        assert other.asked == 0


async def test_a_worker_that_has_ended_is_left_out(place: MeetingPlace) -> None:
    """Its socket refuses. It is removed when it is old: a young one may be about to listen."""
    one = Worker(place, "one")
    async with listening(one):
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(place.path("two")))
        assert names(await one.facts()) == ["one"]
        assert place.has("two")
        before = time.time() - GONE_SECONDS - 1
        os.utime(place.path("two"), (before, before))
        assert names(await one.facts()) == ["one"]
        assert not place.has("two")


@pytest.mark.parametrize("said", [b"", b"no facts", b'{"worker": "two"}', b"\xff"])
async def test_what_is_not_the_facts_of_a_worker_is_left_out(place: MeetingPlace, said: bytes) -> None:
    """A worker that ends in the middle of its answer, or is of another version."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    one = Worker(place, "one")
    async with listening(one), await asyncio.start_unix_server(answer, str(place.path("two"))):
        assert names(await one.facts()) == ["one"]


async def test_a_worker_that_hangs_is_not_waited_for(
    place: MeetingPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page comes without it."""
    monkeypatch.setattr(sharing, "ASK_SECONDS", 0.05)
    one = Worker(place, "one")
    async with listening(one):
        with socket.socket(socket.AF_UNIX) as hung:
            hung.bind(str(place.path("two")))
            hung.listen()
            assert names(await one.facts()) == ["one"]


async def test_who_leaves_before_the_answer_harms_no_one(place: MeetingPlace) -> None:
    """The next one is answered."""
    one, two = Worker(place, "one"), Worker(place, "two")
    async with listening(one, two):
        for _ in range(3):
            _, writer = await asyncio.open_unix_connection(str(place.path("two")))
            writer.transport.abort()
        assert names(await one.facts()) == ["one", "two"]


async def test_a_socket_that_was_removed_is_made_again(place: MeetingPlace) -> None:
    """When its worker is next asked for the page; until then it is missing, and the page says so."""
    one, two = Worker(place, "one"), Worker(place, "two")
    async with listening(one, two):
        place.path("two").unlink()
        assert names(await one.facts()) == ["one"]
        assert names(await two.facts()) == ["two", "one"]
        assert two._task is not None
        await two._task
        assert names(await one.facts()) == ["one", "two"]


async def test_a_folder_that_is_not_ours_is_not_used(
    place: MeetingPlace, caplog: pytest.LogCaptureFixture
) -> None:
    """Another user may have made it, to read what workers say. The log says what to do."""
    place._folder.mkdir()
    place._folder.chmod(0o755)
    one = Worker(place, "one")
    async with listening(one):
        assert names(await one.facts()) == ["one"]
    assert [*place._folder.iterdir()] == []
    assert "is open to other users; remove it, or set TMPDIR" in caplog.text


async def test_a_worker_that_stops_removes_its_socket(place: MeetingPlace) -> None:
    """And is not asked any more."""
    one, two = Worker(place, "one"), Worker(place, "two")
    async with listening(one):
        async with listening(two):
            assert names(await one.facts()) == ["one", "two"]
        assert not place.has("two")
        assert names(await one.facts()) == ["one"]
