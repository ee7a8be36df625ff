"""SQLite: a file that is deleted, replaced or emptied while workers have it open."""

# ruff: noqa: ASYNC240 - the tests do to the files what an operator does

from __future__ import annotations

import logging
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from litellm_homelab.state import Cause, Entry, StateUnavailable
from litellm_homelab.state.sqlite import SqliteStore

NAMES = ("state.db", "state.db-wal", "state.db-shm")


class Worker:
    """Another process with a store on the same file; it answers what it read after each line."""

    SOURCE = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from litellm_homelab.state import Entry
        from litellm_homelab.state.sqlite import SqliteStore

        async def main():
            store = SqliteStore(Path(sys.argv[1]))
            for line in sys.stdin:
                name, key = line.split()
                if name == "create":
                    await store.create(key, Entry({"limit": 9}), 60)
                entry = await store.read(key)
                print("missing" if entry is None else "there", flush=True)
            await store.close()

        asyncio.run(main())
    """)

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.SOURCE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, name: str, key: str) -> str:
        """Let it create or read an entry; whether the entry is there for it."""
        self._in.write(f"{name} {key}\n".encode())
        self._in.flush()
        return self._out.readline().decode().strip()

    def end(self) -> None:
        """End it in the ordinary way."""
        self._in.close()
        self._process.wait(20)
        self._out.close()

    @property
    def _in(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store lives: in a folder of its own, which a test may move away."""
    (tmp_path / "state").mkdir()
    return tmp_path / "state" / "state.db"


@pytest.fixture
def worker(path: Path) -> Iterator[Worker]:
    """A second process that has the file open."""
    running = Worker(path)
    running.ask("create", "before")
    yield running
    running.end()


def delete(path: Path, *names: str) -> None:
    """Delete files of the database."""
    for name in names:
        (path.parent / name).unlink(missing_ok=True)


def replace(path: Path) -> None:
    """Move another database of the same kind into the file's place."""
    other = path.parent / "other.db"
    with sqlite3.connect(path) as source, sqlite3.connect(other) as target:
        source.backup(target)
        target.execute("DELETE FROM homelab_state")
    source.close()
    target.close()
    other.replace(path)


def move_folder(path: Path) -> None:
    """Move the whole folder away and make a new one."""
    path.parent.rename(path.parent.with_name("away"))
    path.parent.mkdir()


def empty(path: Path) -> None:
    """Empty the file in place."""
    path.write_bytes(b"")


LOSSES = [
    pytest.param(lambda path: delete(path, *NAMES), id="all-deleted"),
    pytest.param(lambda path: delete(path, "state.db"), id="database-deleted"),
    pytest.param(lambda path: delete(path, "state.db-wal"), id="wal-deleted"),
    pytest.param(lambda path: delete(path, "state.db-shm"), id="shm-deleted"),
    pytest.param(lambda path: delete(path, "state.db-wal", "state.db-shm"), id="wal-and-shm-deleted"),
    pytest.param(replace, id="replaced"),
    pytest.param(move_folder, id="folder-moved"),
]


@pytest.mark.parametrize("lose", LOSSES)
async def test_workers_agree_again(
    path: Path, worker: Worker, caplog: pytest.LogCaptureFixture, lose: Callable[[Path], None]
) -> None:
    """After the loss every worker uses the file at the path: what one creates, all others see."""
    store = SqliteStore(path)
    await store.create("mine", Entry({"limit": 9}), 60)
    lose(path)
    with caplog.at_level(logging.WARNING):
        assert await store.create("after", Entry({"limit": 9}), 60)
    assert worker.ask("read", "after") == "there"
    assert worker.ask("create", "theirs") == "there"
    assert await store.read("theirs") == Entry({"limit": 9})
    third = Worker(path)  # one that starts later
    assert third.ask("read", "after") == "there"
    third.end()
    taken = await store.take("after", "used", "limit", ())
    assert taken is not None
    assert taken.granted
    assert worker.ask("read", "after") == "there"
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"homelab state sqlite:///{path}: the file")
    assert "was deleted or replaced while it was open" in line
    await store.close()


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda path: delete(path, *NAMES), id="all-deleted"),
        pytest.param(lambda path: delete(path, "state.db"), id="database-deleted"),
        pytest.param(move_folder, id="folder-moved"),
    ],
)
async def test_one_that_starts_later_comes_first(
    path: Path, worker: Worker, lose: Callable[[Path], None]
) -> None:
    """A worker that starts after the loss makes the new file, and those that run follow it."""
    store = SqliteStore(path)
    await store.create("mine", Entry(), 60)
    lose(path)
    third = Worker(path)
    assert third.ask("create", "after") == "there"
    assert await store.read("after") == Entry({"limit": 9})
    assert worker.ask("read", "after") == "there"
    assert worker.ask("create", "theirs") == "there"
    assert await store.read("theirs") == Entry({"limit": 9})
    assert third.ask("read", "theirs") == "there"
    third.end()
    await store.close()


async def test_a_file_emptied_in_place(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The worker starts anew in the same file."""
    store = SqliteStore(path)
    await store.create("before", Entry(), 60)
    empty(path)
    assert await store.read("before") is None
    assert await store.create("after", Entry(), 60)
    await store.close()
    with sqlite3.connect(path) as reader:
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert reader.execute("SELECT key FROM homelab_state").fetchall() == [("after",)]
    reader.close()
    assert len(caplog.records) == 1


async def test_a_lost_folder_is_named_until_it_is_back(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without the folder every operation says so; with it the store goes on, on a new file."""
    store = SqliteStore(path)
    await store.create("before", Entry(), 60)
    shutil.rmtree(path.parent)
    for _ in range(3):
        with pytest.raises(StateUnavailable, match="its folder does not exist") as raised:
            await store.read("before")
        assert raised.value.cause is Cause.NO_FOLDER
    assert caplog.records == []
    path.parent.mkdir()
    assert await store.create("after", Entry(), 60)
    assert len(caplog.records) == 1
    await store.close()


async def test_a_folder_in_its_place(path: Path) -> None:
    """A file that was replaced by a folder cannot be opened, and the error says so."""
    store = SqliteStore(path)
    await store.create("before", Entry(), 60)
    delete(path, *NAMES)
    path.mkdir()
    with pytest.raises(StateUnavailable, match="the path is not a file") as raised:
        await store.read("before")
    assert raised.value.cause is Cause.NO_FILE
    path.rmdir()
    assert await store.create("after", Entry(), 60)
    await store.close()


async def test_a_file_overwritten_in_place(path: Path) -> None:
    """Rubbish in the file is named; once it is deleted the store goes on."""
    store = SqliteStore(path)
    await store.create("before", Entry(), 60)
    delete(path, *NAMES)
    path.write_bytes(b"rubbish " * 1000)
    with pytest.raises(StateUnavailable, match="the file is not a SQLite database"):
        await store.read("before")
    delete(path, *NAMES)
    assert await store.create("after", Entry(), 60)
    await store.close()


async def test_a_dropped_table_is_made_again(path: Path) -> None:
    """The operation that meets it is done on a new connection."""
    store = SqliteStore(path)
    await store.create("before", Entry(), 60)
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE homelab_state")
    other.close()
    assert await store.create("after", Entry(), 60)
    await store.close()


async def test_a_link_to_another_folder(path: Path, tmp_path: Path) -> None:
    """A link is followed: the files beside are the target's, and a link that is turned is noticed."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    path.symlink_to("../one/state.db")
    store = SqliteStore(path)
    await store.create("first", Entry(), 60)
    assert (tmp_path / "one" / "state.db-wal").exists()
    path.unlink()
    path.symlink_to("../two/state.db")
    assert await store.create("second", Entry(), 60)
    assert await store.read("first") is None
    assert (tmp_path / "two" / "state.db").stat().st_size > 0
    await store.close()
