"""SQLite: other processes are waited for without blocking, and what cannot work says so."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from pathlib import Path

import pytest

from litellm_homelab.state import Cause, Entry, StateUnavailable
from litellm_homelab.state.sqlite import PATIENCE_SECONDS, SqliteStore


async def test_waiting_for_a_lock_leaves_the_event_loop_free(tmp_path: Path) -> None:
    """While another program holds the file, other tasks go on, and the operation succeeds when it lets go."""
    path = tmp_path / "state.db"
    store = SqliteStore(path)
    await store.create("one", Entry({"limit": 1}), 60)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(store.take("one", "used", "limit", ()))
    for _ in range(5):
        await asyncio.sleep(0.01)
        assert not waiting.done()  # a loop that waits for the lock itself would be done with it
    other.execute("COMMIT")
    taken = await waiting
    assert taken is not None
    assert taken.granted
    other.close()
    await store.close()


async def test_a_lock_that_stays_is_told(tmp_path: Path) -> None:
    """A file that is never let go is unavailable after the patience, not an endless wait."""
    path = tmp_path / "state.db"
    store = SqliteStore(path, patience_seconds=0.05)
    await store.create("one", Entry(), 60)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        StateUnavailable, match=r"locked by another process for too long \(SQLite: database is locked\)"
    ):
        await store.add("one", {"used": 1})
    assert await store.read("one") == Entry()  # readers need no lock
    other.close()
    await store.close()


@pytest.mark.parametrize(
    ("place", "cause", "problem"),
    [
        pytest.param("missing/state.db", Cause.NO_FOLDER, "its folder does not exist", id="no-such-folder"),
        pytest.param("text.db/state.db", Cause.NO_FOLDER, "its folder does not exist", id="file-as-folder"),
        pytest.param("folder", Cause.NO_FILE, "the path is not a file that can be opened", id="a-folder"),
        pytest.param(
            "circle", Cause.NO_FILE, "the path is not a file that can be opened", id="link-to-itself"
        ),
        pytest.param("text.db", Cause.NOT_A_DATABASE, "the file is not a SQLite database", id="another-file"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, place: str, cause: Cause, problem: str
) -> None:
    """The error has the path, the cause in plain words, and what to do."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "text.db").write_text("this is no database, and long enough to be seen as none\n" * 20)
    begun = time.monotonic()
    with pytest.raises(StateUnavailable) as raised:
        await SqliteStore(tmp_path / place).create("one", Entry(), 60)
    assert raised.value.cause is cause
    assert str(raised.value).startswith(f"state sqlite:///{tmp_path / place}: {problem} (")
    assert time.monotonic() - begun < PATIENCE_SECONDS  # waiting would not mend it


async def test_a_failure_changes_nothing(tmp_path: Path) -> None:
    """A change that breaks half-way is rolled back, and the store goes on."""
    store = SqliteStore(tmp_path / "state.db")
    await store.create("one", Entry({"used": 1}), 60)
    with pytest.raises(TypeError):
        await store.add("one", {"used": 1, "broken": "text"})  # type: ignore[dict-item]
    assert await store.add("one", {"used": 1}) == Entry({"used": 2})
    await store.close()


async def test_expired_rows_go(tmp_path: Path) -> None:
    """The file does not grow with what has expired: new entries take expired ones away."""
    store = SqliteStore(tmp_path / "state.db")
    for number in range(150):
        await store.create(str(number), Entry(), 0.001)
    await asyncio.sleep(0.005)
    for number in range(2):
        await store.create(f"new {number}", Entry(), 60)
    with sqlite3.connect(tmp_path / "state.db") as reader:
        assert reader.execute("SELECT count(*) FROM homelab_state").fetchone() == (2,)
    reader.close()
    await store.close()


def test_a_store_survives_a_fork(tmp_path: Path) -> None:
    """A store that was used before a fork is exact in parent and child, each on its own connection."""
    store = SqliteStore(tmp_path / "state.db")
    asyncio.run(store.create("shared", Entry({"limit": 2}), 60))
    child = os.fork()
    if child == 0:
        taken = asyncio.run(store.take("shared", "used", "limit", ()))
        own = len(store._databases) == 2  # the parent's is left alone: using it here could corrupt the file
        os._exit(0 if own and taken is not None and taken.granted else 1)
    _, status = os.waitpid(child, 0)
    taken = asyncio.run(store.take("shared", "used", "limit", ()))
    assert status == 0
    assert taken is not None
    assert (taken.granted, taken.entry.count("used")) == (True, 2)


async def test_threads_may_share_a_store(tmp_path: Path) -> None:
    """Event loops in several threads get along over one store object."""
    store = SqliteStore(tmp_path / "state.db")
    await store.create("one", Entry(), 60)

    def add_20() -> None:
        async def add() -> None:
            for _ in range(20):
                await store.add("one", {"used": 1})
            await store.close()

        asyncio.run(add())

    await asyncio.gather(*(asyncio.to_thread(add_20) for _ in range(3)))
    assert await store.read("one") == Entry({"used": 60})
    await store.close()
