"""
Entries in a SQLite file: for several workers on one machine, and across restarts.

The work runs inside the event loop on purpose: a change takes about 30 us, handing it to a thread costs more.
It never waits there for another process: SQLite is set not to wait, and asyncio sleeps between attempts.
The file must be on a local disk, since WAL does not work over a network (https://www.sqlite.org/wal.html).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from litellm_homelab.state import account as accounts
from litellm_homelab.state import entry as entries
from litellm_homelab.state import pool as pools
from litellm_homelab.state.account import Account
from litellm_homelab.state.entry import Entry, Taken
from litellm_homelab.state.errors import StateUnavailable
from litellm_homelab.state.pool import Claim, Claimed, Pool
from litellm_homelab.state.sqlite_errors import cause_of, detail_of, primary
from litellm_homelab.state.sqlite_file import Busy, Database, open_database
from litellm_homelab.state.texts import Texts

if TYPE_CHECKING:
    from litellm_homelab.state.store import Change

PATIENCE_SECONDS = 10.0
"""
How long an operation waits for its turn; a turn of another worker takes well under a millisecond.

But a worker with 100 requests on its event loop asks only once or twice a second: of 200 at once on four
workers, every tenth met two or three turns of others and was refused after 2 s (measured on LiteLLM 1.106.2).
"""

_RETRY_SECONDS = 0.001
_PURGE_ROWS = 100  # per new entry: more than it adds, yet a day's leftovers never stall one request

# NORMAL, not OFF: the file then survives a power cut (the last moments' counts may be lost), and the disk is
# waited for at checkpoints only, once in some hundred changes
# (https://www.sqlite.org/pragma.html#pragma_synchronous).
_SETUP = (
    "PRAGMA busy_timeout = 0",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    """CREATE TABLE IF NOT EXISTS homelab_state (
        key TEXT PRIMARY KEY, expires_at REAL NOT NULL, counters TEXT NOT NULL, marks TEXT NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS homelab_state_expiry ON homelab_state (expires_at)",
    "CREATE TABLE IF NOT EXISTS homelab_pools (name TEXT PRIMARY KEY, pool TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS homelab_accounts (
        name TEXT PRIMARY KEY, account TEXT NOT NULL
    ) WITHOUT ROWID""",
)
_READ = "SELECT counters, marks, expires_at FROM homelab_state WHERE key = ? AND expires_at > ?"
_WRITE = "UPDATE homelab_state SET counters = ?, marks = ?, expires_at = ? WHERE key = ?"
_PURGE = """DELETE FROM homelab_state WHERE key IN
    (SELECT key FROM homelab_state WHERE expires_at <= ? LIMIT ?)"""
_CREATE = """INSERT INTO homelab_state (key, counters, marks, expires_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (key) DO UPDATE SET counters = ?2, marks = ?3, expires_at = ?4 WHERE expires_at <= ?5"""
_READ_POOL = "SELECT pool FROM homelab_pools WHERE name = ?"
_WRITE_POOL = "INSERT OR REPLACE INTO homelab_pools (name, pool) VALUES (?, ?)"
# One claim that fits without a look at who has expired, and without one who waits: nearly every slot.
# Where it matches no row, Python decides, which also finds what is damaged.
_LEASE = """UPDATE homelab_pools SET pool = json_set(pool, ?1, json_array(?2, ?3))
    WHERE name = ?4 AND CASE WHEN json_valid(pool) THEN
        json_type(pool, ?1) IS NULL AND json_extract(pool, '$.waiting') = '{}' AND ?3 + (
            SELECT coalesce(sum(json_extract(value, '$[1]')), 0) FROM json_each(pool, '$.held')
        ) <= ?5
    ELSE FALSE END"""
_RELEASE = """UPDATE homelab_pools SET pool = json_remove(pool, ?1, ?2)
    WHERE name = ?3 AND json_valid(pool)"""
_READ_ACCOUNT = "SELECT account FROM homelab_accounts WHERE name = ?"
_WRITE_ACCOUNT = "INSERT OR REPLACE INTO homelab_accounts (name, account) VALUES (?, ?)"
ERRORS = (sqlite3.Error, OSError, ValueError, Busy)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

log = logging.getLogger("LiteLLM Proxy.homelab.state")
"""Below LiteLLM's proxy logger, whose handler and format it uses (measured on 1.106.2)."""

MOVED = (
    "homelab state sqlite:///%s: the file (or the -wal or -shm file beside it) was deleted or replaced while"
    " it was open. Worker %d now uses the file at that path; requests to OptiLLM handles that were under way"
    " may fail."
)
"""What the log says of it; every worker says it once, when it notices."""

T = TypeVar("T")


class SqliteStore:
    """One file; exact among processes, because every change is a transaction that locks before it reads."""

    def __init__(self, path: Path, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._path = path
        self._patience_seconds = patience_seconds
        # A connection must cross neither a fork nor a thread, so each process and thread opens its own.
        self._databases: dict[tuple[int, int], Database] = {}
        self._accounts = Texts(accounts.read, accounts.written)
        self._pools = Texts(pools.read, pools.written)

    async def create(self, key: str, entry: Entry, ttl: float) -> bool:
        """Create an entry (`Store.create`); a few expired ones go in the same transaction."""

        def work(database: sqlite3.Connection) -> bool:
            now = time.time()
            database.execute(_PURGE, (now, _PURGE_ROWS))
            return database.execute(_CREATE, (key, *_columns(entry), now + ttl, now)).rowcount == 1

        return await self._transact(work)

    async def take(self, key: str, counter: str, limit: str, unless: Collection[str]) -> Taken | None:
        """Check and count one more (`Store.take`)."""
        return await self._change(key, lambda entry: entry.take(counter, limit, unless))

    async def add(self, key: str, amounts: Mapping[str, int]) -> Entry | None:
        """Add to several counters in one step (`Store.add`)."""
        taken = await self._change(key, lambda entry: Taken(entry.add(amounts), granted=True))
        return None if taken is None else taken.entry

    async def mark(self, key: str, name: str, text: str, keep: float | None = None) -> Entry | None:
        """Set a mark unless it is set (`Store.mark`)."""
        taken = await self._change(key, lambda entry: Taken(entry.mark(name, text), granted=True), keep)
        return None if taken is None else taken.entry

    async def read(self, key: str) -> Entry | None:
        """Return the entry as it is now (`Store.read`)."""
        found = await self._patiently(lambda database: _read(database, key))
        return None if found is None else found[0]

    async def lease(self, claims: Sequence[Claim], owner: str, seconds: float) -> Claimed:
        """Take a lease of several pools (`Store.lease`)."""
        if len(claims) == 1 and owner.isalnum():  # which is safe in a JSON path
            pool, limit, amount, _, _ = claims[0]
            given = f'$.held."{owner}"', round((time.time() + seconds) * 1000), amount, pool, limit
            if await self._patiently(lambda database: database.execute(_LEASE, given).rowcount):
                return Claimed.GRANTED

        def work(database: sqlite3.Connection) -> Claimed:
            now = _now()
            known = {one.pool: self._read_pool(database, one.pool) for one in claims}
            answer, changed = pools.ask(known, claims, owner, now, now + round(seconds * 1000))
            for name, pool in changed.items():
                self._write_pool(database, name, pool)
            return answer

        return await self._transact(work)

    async def renew(self, pools: Collection[str], owners: Collection[str], seconds: float) -> None:
        """Prolong what these owners have (`Store.renew`)."""
        await self._change_pools(pools, lambda pool: pool.renew(owners, _now() + round(seconds * 1000)))

    async def release(self, pools: Collection[str], owner: str) -> None:
        """Give back what the owner has (`Store.release`)."""
        if len(pools) == 1 and owner.isalnum():
            given = f'$.held."{owner}"', f'$.waiting."{owner}"', *pools
            if await self._patiently(lambda database: database.execute(_RELEASE, given).rowcount):
                return
        await self._change_pools(pools, lambda pool: pool.without(owner))

    async def pool(self, name: str) -> Pool:
        """Return a pool as it is now (`Store.pool`)."""
        return (await self._patiently(lambda database: self._read_pool(database, name))).at(_now())

    async def change(self, names: Collection[str], change: Change[T]) -> T:
        """Change several accounts in one step (`Store.change`)."""

        def work(database: sqlite3.Connection) -> T:
            known = {name: self._read_account(database, name) for name in names}
            answer, changed = change(known, _now())
            for name, account in changed.items():
                if account != known[name]:
                    database.execute(_WRITE_ACCOUNT, (name, self._accounts.written(name, account)))
            return answer

        return await self._transact(work)

    async def close(self) -> None:
        """Close this process's and thread's connection (`Store.close`)."""
        known = self._databases.pop(_here(), None)
        if known is not None:
            known.connection.close()

    def _read_account(self, database: sqlite3.Connection, name: str) -> Account:
        row = database.execute(_READ_ACCOUNT, (name,)).fetchone()
        return self._accounts.read(name, None if row is None else row[0])

    def _read_pool(self, database: sqlite3.Connection, name: str) -> Pool:
        row = database.execute(_READ_POOL, (name,)).fetchone()
        return self._pools.read(name, None if row is None else row[0])

    def _write_pool(self, database: sqlite3.Connection, name: str, pool: Pool) -> None:
        database.execute(_WRITE_POOL, (name, self._pools.written(name, pool)))

    async def _change_pools(self, names: Collection[str], change: Callable[[Pool], Pool]) -> None:
        def work(database: sqlite3.Connection) -> None:
            for name in names:
                self._write_pool(database, name, change(self._read_pool(database, name).at(_now())))

        await self._transact(work)

    async def _change(
        self, key: str, change: Callable[[Entry], Taken], keep: float | None = None
    ) -> Taken | None:
        def work(database: sqlite3.Connection) -> Taken | None:
            found = _read(database, key)
            if found is None:
                return None
            entry, expires_at = found
            taken = change(entry)
            if keep is not None:
                expires_at = min(expires_at, time.time() + keep)
            database.execute(_WRITE, (*_columns(taken.entry), expires_at, key))
            return taken

        return await self._transact(work)

    async def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def transaction(database: sqlite3.Connection) -> T:
            with database:  # commits, or rolls back on any exception
                database.execute("BEGIN IMMEDIATE")
                return work(database)

        return await self._patiently(transaction)

    async def _patiently(self, work: Callable[[sqlite3.Connection], T]) -> T:
        here = os.getpid(), threading.get_ident()
        known = here in self._databases
        try:
            return work(self._connection(here))
        except ERRORS as error:
            failed = error
        return await self._try_again(work, here, failed, known=known)

    async def _try_again(
        self, work: Callable[[sqlite3.Connection], T], here: tuple[int, int], error: Exception, *, known: bool
    ) -> T:
        """Wait for another's turn to end; what failed on an old connection is tried once on a new one."""
        give_up_at = time.monotonic() + self._patience_seconds
        while True:
            if _is_busy(error) and time.monotonic() < give_up_at:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                if not _is_busy(error):
                    self._drop()
                if _is_busy(error) or not known or _is_full(error):
                    raise self._unavailable(error) from error
                known = False
            try:
                return work(self._connection(here))
            except ERRORS as next_error:
                error = next_error

    def _connection(self, here: tuple[int, int]) -> sqlite3.Connection:
        known = self._databases.get(here)
        if known is not None and not known.moved():
            return known.connection
        opened = self._databases[here] = open_database(self._path, _set_up, known)
        if known is not None:
            log.warning(MOVED, self._path, os.getpid())
        return opened.connection

    def _drop(self) -> None:
        """Close the connection; one whose file has moved is kept until another takes its place."""
        known = self._databases.get(_here())
        if known is not None and not known.moved():
            del self._databases[_here()]
            known.connection.close()

    def _unavailable(self, error: Exception) -> StateUnavailable:
        return StateUnavailable(f"sqlite:///{self._path}", cause_of(error, self._path), detail_of(error))


def _set_up(connection: sqlite3.Connection) -> None:
    for statement in _SETUP:
        connection.execute(statement)


def _read(database: sqlite3.Connection, key: str) -> tuple[Entry, float] | None:
    row = database.execute(_READ, (key, time.time())).fetchone()
    return None if row is None else (entries.read(row[0], row[1]), float(row[2]))


def _now() -> int:
    """Milliseconds of the clock that all processes of the machine share."""
    return round(time.time() * 1000)


def _columns(entry: Entry) -> tuple[str, str]:
    return json.dumps(entry.counters), json.dumps(entry.marks)


def _here() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def _is_busy(error: Exception) -> bool:
    return isinstance(error, Busy) or primary(error) in _BUSY


def _is_full(error: Exception) -> bool:
    return primary(error) == sqlite3.SQLITE_FULL
