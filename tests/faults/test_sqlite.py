"""The counters' SQLite file fails under a running gateway; a clock that is stepped as well."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.disk import Disk, copy_of, small_disk
from tests.faults.rig import CLOSED, OK, PER_DAY, SERVED, USED_UP, Faulty, faulty
from tests.faults.table import fault
from tests.stepped import ahead_of_midnight, set_ahead

pytestmark = pytest.mark.real

DAY, HOUR = 86_400.0, 3600.0
PAGE = 4096
"""Bytes of SQLite's pages, by default."""
SEES = "503 `policy_error` on OptiLLM handles and where a quota counts; others are served"
PAUSE_SECONDS = 1.1
"""A store of quotas that failed is asked again after a second (`quotas/book.py`)."""
SLOTS = "nothing that was counted; slots are shared out by worker meanwhile"


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """The disk that the file is on."""
    with small_disk(tmp_path_factory.mktemp("disk")) as made:
        yield made


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gateway's clock, set where no day ends for hours."""
    file = tmp_path_factory.mktemp("clock") / "clock"
    set_ahead(file, ahead_of_midnight(datetime.now(UTC)))
    return file


@pytest.fixture(scope="module")
def gateway(disk: Disk, clock: Path) -> Iterator[Faulty]:
    """One gateway for all faults of this file."""
    with faulty(f"sqlite:///{disk.file}", clock.parent) as running:
        yield running


def closed_and_back(gateway: Faulty, fails: AbstractContextManager[None], says: str) -> None:
    """Closed while it lasts, and nothing leaves uncounted; served again without a restart."""
    assert gateway.ask() == SERVED
    with fails:
        assert gateway.ask() == CLOSED
        sent = gateway.sent()
        assert (sent["main"], sent["box"], sent["free"], sent["boost"]) == (1, 1, 0, 0)
    time.sleep(PAUSE_SECONDS)
    assert gateway.ask() == SERVED
    assert gateway.sent()["base"] == 3  # OptiLLM's calls back are counted again
    assert says in gateway.said()


@fault(
    "SQLite",
    "locked by another program",
    sees=f"{SEES}; the first answers after up to 10 s",
    lost=SLOTS,
    recovers="by itself, with the next request after the lock",
)
def test_locked(gateway: Faulty, disk: Disk) -> None:
    """Another process writes and does not end."""

    @contextmanager
    def locked() -> Iterator[None]:
        other = sqlite3.connect(disk.file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()

    closed_and_back(gateway, locked(), "locked by another process")


@fault("SQLite", "disk full", sees=SEES, lost=SLOTS, recovers="by itself, once there is space")
def test_disk_full(gateway: Faulty, disk: Disk) -> None:
    """No byte more can be written."""
    says = "the disk is full" if disk.is_mounted else "the disk reports an error"
    closed_and_back(gateway, disk.full(gateway.pid), says)


@fault("SQLite", "read-only", sees=SEES, lost=SLOTS, recovers="by itself, once it may be written")
def test_read_only(gateway: Faulty, disk: Disk) -> None:
    """The disk is read-only."""
    closed_and_back(gateway, disk.read_only(), "read-only")


def zeros(file: Path) -> None:
    """A copy of the file comes back with its first page alone."""
    other = copy_of(file)
    whole = other.read_bytes()
    other.write_bytes(whole[:PAGE] + b"\0" * (len(whole) - PAGE))
    other.replace(file)


def text(file: Path) -> None:
    """Another program has written its own file there."""
    other = file.with_name("other")
    other.write_text("this is not a database\n" * 200, encoding="utf-8")
    other.replace(file)


SAYS: Mapping[Callable[[Path], None], str] = {
    zeros: "the stored data is damaged",
    text: "the file is not a SQLite database",
}


@fault(
    "SQLite",
    "corrupted, or overwritten by something else",
    sees=SEES,
    lost="the file's counts; each worker restores what it has counted of quotas",
    recovers="once the file is deleted, as the log advises; no restart",
)
@pytest.mark.parametrize("damage", [zeros, text])
def test_corrupted(gateway: Faulty, disk: Disk, damage: Callable[[Path], None]) -> None:
    """What is there is not a database any more."""

    @contextmanager
    def damaged() -> Iterator[None]:
        damage(disk.file)
        try:
            yield
        finally:
            for file in disk.folder.glob("homelab.db*"):
                file.unlink()

    closed_and_back(gateway, damaged(), SAYS[damage])


@fault(
    "SQLite",
    "deleted, and a folder in its place",
    sees=SEES,
    lost="the file's counts; each worker restores what it has counted of quotas",
    recovers="once the folder is removed; no restart",
)
def test_a_folder_in_its_place(gateway: Faulty, disk: Disk) -> None:
    """A folder is in the place of the file."""

    @contextmanager
    def gone() -> Iterator[None]:
        for file in disk.folder.glob("homelab.db*"):
            file.unlink()
        disk.file.mkdir()
        try:
            yield
        finally:
            disk.file.rmdir()

    closed_and_back(gateway, gone(), "the path is not a file that can be opened")


@fault(
    "Processes and clocks",
    "the clock steps back an hour, forward a day, and back again",
    sees="a quota that is used up stays so until its reset in the new time; other handles are served",
    lost="nothing: a day that was counted is remembered when the clock returns to it",
    recovers="at the next request",
)
def test_clock_steps(gateway: Faulty, clock: Path) -> None:
    """Never one request more than each day has."""
    now = float(clock.read_text(encoding="utf-8"))
    assert [gateway.ask("daily")["daily"] for _ in range(PER_DAY + 1)] == [OK] * PER_DAY + [USED_UP]
    for ahead, status in ((-HOUR, USED_UP), (DAY, OK), (0.0, USED_UP)):
        set_ahead(clock, now + ahead)
        assert gateway.ask("daily") == {"daily": status}
        assert gateway.sent()["daily"] == (status == OK)
        assert gateway.ask() == SERVED
    set_ahead(clock, now)
