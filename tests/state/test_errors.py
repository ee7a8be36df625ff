"""Why a store cannot answer: every failure of every store has a cause with a text, and repeats no value."""

from __future__ import annotations

import errno
import pickle
import sqlite3
from pathlib import Path

import pytest
from redis import exceptions

from litellm_homelab.state import Cause, Entry, StateUnavailable
from litellm_homelab.state.errors import TEXTS
from litellm_homelab.state.redis import NAMESPACE, RedisStore
from litellm_homelab.state.redis_errors import cause_of as redis_cause
from litellm_homelab.state.redis_errors import detail_of as redis_detail
from litellm_homelab.state.sqlite import SqliteStore
from litellm_homelab.state.sqlite_errors import cause_of, detail_of

SECRET = "sk-a-key-of-somebody"


def test_it_passes_from_one_process_to_another() -> None:
    """Its text and its cause are the same there."""
    error = StateUnavailable("sqlite:///homelab.db", Cause.LOCKED, "detail")
    found = pickle.loads(pickle.dumps(error))
    assert (str(found), found.cause) == (str(error), error.cause)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_a_text_and_an_advice(cause: Cause) -> None:
    """The line of the log says where, what and what to do."""
    what, advice = TEXTS[cause]
    line = str(StateUnavailable("memory://", cause, "detail"))
    assert line == f"state memory://: {what} (detail). {advice}"
    assert advice.endswith((".", "?"))


def sqlite_error(code: int, text: str = "message") -> sqlite3.Error:
    """An exception as the sqlite3 module raises it."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        pytest.param(sqlite_error(sqlite3.SQLITE_FULL), Cause.DISK_FULL, id="full"),
        pytest.param(sqlite_error(sqlite3.SQLITE_BUSY), Cause.LOCKED, id="busy"),
        pytest.param(sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Cause.LOCKED, id="busy-extended"),
        pytest.param(sqlite_error(sqlite3.SQLITE_READONLY), Cause.READ_ONLY, id="read-only"),
        pytest.param(sqlite_error(sqlite3.SQLITE_READONLY_DIRECTORY), Cause.READ_ONLY, id="read-only-folder"),
        pytest.param(sqlite_error(sqlite3.SQLITE_IOERR_WRITE), Cause.DISK_ERROR, id="write-error"),
        pytest.param(sqlite_error(sqlite3.SQLITE_CORRUPT), Cause.DAMAGED, id="corrupt"),
        pytest.param(sqlite_error(sqlite3.SQLITE_NOTADB), Cause.NOT_A_DATABASE, id="not-a-database"),
        pytest.param(sqlite_error(sqlite3.SQLITE_CANTOPEN), Cause.DISK_ERROR, id="cannot-open-for-no-reason"),
        pytest.param(sqlite_error(1, "no such table: homelab_state"), Cause.DAMAGED, id="no-such-table"),
        pytest.param(sqlite_error(1), Cause.OTHER, id="something-else"),
        pytest.param(OSError(errno.ENOSPC, "x"), Cause.DISK_FULL, id="ENOSPC"),
        pytest.param(OSError(errno.EDQUOT, "x"), Cause.DISK_FULL, id="EDQUOT"),
        pytest.param(OSError(errno.EROFS, "x"), Cause.READ_ONLY, id="EROFS"),
        pytest.param(OSError(errno.EACCES, "x"), Cause.PERMISSION, id="EACCES"),
        pytest.param(OSError(errno.EIO, "x"), Cause.DISK_ERROR, id="EIO"),
        pytest.param(ValueError(SECRET), Cause.DAMAGED, id="a-row-of-others"),
    ],
)
def test_causes_of_sqlite(error: Exception, cause: Cause, tmp_path: Path) -> None:
    """Its result codes, extended ones too, and the operating system's errors."""
    assert cause_of(error, tmp_path / "state.db") is cause
    assert SECRET not in detail_of(error)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        pytest.param(exceptions.ConnectionError(SECRET), Cause.UNREACHABLE, id="gone"),
        pytest.param(ConnectionResetError(104, SECRET), Cause.UNREACHABLE, id="reset"),
        pytest.param(exceptions.TimeoutError(SECRET), Cause.TIMEOUT, id="timeout"),
        pytest.param(TimeoutError(SECRET), Cause.TIMEOUT, id="python-timeout"),
        pytest.param(exceptions.AuthenticationError(SECRET), Cause.CREDENTIALS, id="wrong-password"),
        pytest.param(exceptions.NoPermissionError(SECRET), Cause.CREDENTIALS, id="not-allowed"),
        pytest.param(exceptions.ResponseError(f"WRONGPASS {SECRET}"), Cause.CREDENTIALS, id="wrong-pass"),
        pytest.param(exceptions.BusyLoadingError(SECRET), Cause.LOADING, id="loading"),
        pytest.param(exceptions.OutOfMemoryError(SECRET), Cause.OUT_OF_MEMORY, id="memory"),
        pytest.param(exceptions.ReadOnlyError(SECRET), Cause.READ_ONLY, id="replica"),
        pytest.param(exceptions.ResponseError(f"MISCONF {SECRET}"), Cause.DISK_FULL, id="cannot-save"),
        pytest.param(exceptions.ResponseError(f"in script: -OOM {SECRET}"), Cause.OUT_OF_MEMORY, id="script"),
        pytest.param(exceptions.ResponseError("DB index is out of range"), Cause.NO_DATABASE, id="db"),
        pytest.param(exceptions.ResponseError(f"ERR unknown command {SECRET}"), Cause.OTHER, id="command"),
        pytest.param(UnicodeDecodeError("utf-8", b"\xff", 0, 1, SECRET), Cause.DAMAGED, id="not-utf-8"),
    ],
)
def test_causes_of_redis(error: Exception, cause: Cause) -> None:
    """Its exceptions and its error answers; their own text, which may quote arguments, is not repeated."""
    assert redis_cause(error) is cause
    assert SECRET not in redis_detail(error)


@pytest.mark.real
async def test_a_wrong_password_is_named(redis_url: str) -> None:
    """Redis refuses the user and password of the URL; neither is repeated."""
    store = RedisStore(redis_url.replace("redis://", f"redis://someone:{SECRET}@"))
    with pytest.raises(StateUnavailable, match="the server refuses the user or password") as raised:
        await store.read("one")
    assert raised.value.cause is Cause.CREDENTIALS
    assert SECRET not in str(raised.value)
    await store.close()


@pytest.mark.real
async def test_a_database_that_is_not_there_is_named(redis_url: str) -> None:
    """Redis has 16 databases by default."""
    store = RedisStore(redis_url.removesuffix("/0") + "/4711")
    with pytest.raises(StateUnavailable, match="the server has no database of that number"):
        await store.read("one")
    await store.close()


@pytest.mark.real
async def test_a_key_of_others_is_named(redis_url: str) -> None:
    """A value that this store did not write is damaged data, not an exception of the client's."""
    store = RedisStore(redis_url)
    await store._client.hset(f"{NAMESPACE}strange", mapping={"_": "", "cused": "many"})
    await store._client.set(f"{NAMESPACE}text", "text")
    for key in ("strange", "text"):
        with pytest.raises(StateUnavailable, match="the stored data is damaged"):
            await store.read(key)
    await store._client.delete(f"{NAMESPACE}strange", f"{NAMESPACE}text")
    await store.close()


@pytest.mark.parametrize(
    "value", ["many", "[]", '{"used": null}', '{"used": Infinity}', "[" * 100_000], ids=range(5)
)
async def test_a_row_of_others_is_named(tmp_path: Path, value: str) -> None:
    """The same for SQLite, whatever is there."""
    store = SqliteStore(tmp_path / "state.db")
    await store.create("one", Entry(), 60)
    with sqlite3.connect(tmp_path / "state.db") as other:
        other.execute("UPDATE homelab_state SET counters = ?", [value])
    other.close()
    with pytest.raises(StateUnavailable, match="the stored data is damaged"):
        await store.read("one")
    await store.close()


async def test_a_full_disk_is_named_and_passes(tmp_path: Path) -> None:
    """While it is full every change says so; with space again the store goes on as before."""
    store = SqliteStore(tmp_path / "state.db")
    await store.create("one", Entry({"limit": 1}), 60)
    (database,) = store._databases.values()
    (pages,) = database.connection.execute("PRAGMA page_count").fetchone()
    database.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateUnavailable, match="the disk is full") as raised:
        await store.create("two", Entry({}, {"text": "x" * 100_000}), 60)
    assert raised.value.cause is Cause.DISK_FULL
    assert await store.create("two", Entry({}, {"text": "x" * 100_000}), 60)  # on a connection of its own
    assert await store.read("one") == Entry({"limit": 1})
    await store.close()
