"""
Opens the SQLite file of a store, and notices when its path has another file or none.

A process keeps a file that it has open when it is deleted or replaced, and so it keeps the two files
beside it (`-wal` with the last changes, `-shm` with the index over them). SQLite does not look again in WAL
mode, so a worker that starts later counts elsewhere than the others, without an error (SQLite 3.40).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeAlias

Identity: TypeAlias = tuple[int, int]
"""Device and inode: an inode is not used again while a process has its file open."""
IDENTITY: Final = attrgetter("st_dev", "st_ino")
NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EACCES})
"""Errors of a file system, or of a folder that may not be read, on which nothing can be locked."""


class Busy(Exception):
    """Another process is opening the file; try again."""


@dataclass(slots=True)
class Database:
    """An open connection, and which files were at its three paths when it was opened."""

    connection: sqlite3.Connection
    paths: tuple[Path, Path, Path]
    identities: tuple[Identity | None, ...]
    retired: bool = False
    _names: tuple[str, str, str] = field(init=False)

    def __post_init__(self) -> None:
        path, log, index = self.paths
        self._names = str(path), str(log), str(index)

    def moved(self) -> bool:
        """Whether one of the files has been deleted, replaced or emptied since; three calls of stat."""
        if self.retired:
            return True
        try:  # as `_identities`, in C where all three are there: it is asked before every change
            found = [*map(os.stat, self._names)]
            if found[0].st_size and tuple(map(IDENTITY, found)) == self.identities:
                return False
        except OSError:
            pass
        return _identities(self._names) != self.identities

    def retire(self) -> None:
        """
        Let go of a database that has moved, and remove what is left of it beside the path.

        SQLite would take those files for the new database's
        (https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
        """
        if self.retired:
            return
        self.retired = True
        empty = _is_empty(self.paths[0])
        for path, known in zip(self.paths[1:], self.identities[1:], strict=True):
            if known is not None and _identity(path) == known:
                path.unlink(missing_ok=True)
        self.connection.close()  # SQLite leaves the paths alone where its file is not there any more
        if empty:  # but would write its last changes into one that was emptied
            os.truncate(self.paths[0], 0)


def open_database(
    path: Path, setup: Callable[[sqlite3.Connection], None], lost: Database | None = None
) -> Database:
    """
    Open the file at `path`, created if it is not there; `lost` is this process's connection that has moved.

    Only one process at a time does this. Raises Busy, OSError or sqlite3.Error.
    """
    real = Path(os.path.realpath(path))  # SQLite puts its files beside the target of a link
    paths = (path, Path(f"{real}-wal"), Path(f"{real}-shm"))
    with _locked(real.parent):
        if lost is not None:
            lost.retire()
        _prepare(real, *paths[1:])
        before = _identity(real)
        connection = sqlite3.connect(real, timeout=0, isolation_level=None)
        try:
            setup(connection)
            if _identity(real) != before:  # another process replaced it in between
                raise Busy
        except BaseException:
            connection.close()
            raise
        return Database(connection, paths, _identities(paths))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """
    Hold the folder's lock, or go without one where there are no locks.

    Not the database file's: to close a second descriptor of it would end SQLite's own locks (POSIX).
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        yield
        return
    try:
        _lock(handle)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Busy from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


def _prepare(path: Path, *beside: Path) -> None:
    """Create the file where there is none; with an empty one, no file beside it is its own."""
    there = path.exists()
    if there and not _is_empty(path):
        return
    for stale in beside:
        stale.unlink(missing_ok=True)
    if there:
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o644))
    except FileExistsError:
        if path.exists():  # where nothing can be locked, another process was first
            raise Busy from None
        raise  # a link that leads to itself


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except (FileNotFoundError, NotADirectoryError):
        return False


def _identities(paths: tuple[Path, Path, Path] | tuple[str, str, str]) -> tuple[Identity | None, ...]:
    """Of the three files; an empty database, as no store leaves it, counts as none."""
    path, log, index = paths
    return _identity(path, least=1), _identity(log), _identity(index)


def _identity(path: Path | str, least: int = 0) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - `Path.stat` costs three times as much
    except (FileNotFoundError, NotADirectoryError):
        return None
    return IDENTITY(found) if found.st_size >= least else None
