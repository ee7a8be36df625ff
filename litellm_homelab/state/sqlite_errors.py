"""What an exception means that the SQLite store met."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from litellm_homelab.state.errors import Cause
from litellm_homelab.state.sqlite_file import Busy

_CODES: Final[Mapping[int, Cause]] = MappingProxyType(
    {
        sqlite3.SQLITE_FULL: Cause.DISK_FULL,
        sqlite3.SQLITE_BUSY: Cause.LOCKED,
        sqlite3.SQLITE_LOCKED: Cause.LOCKED,
        sqlite3.SQLITE_PROTOCOL: Cause.LOCKED,
        sqlite3.SQLITE_READONLY: Cause.READ_ONLY,
        sqlite3.SQLITE_PERM: Cause.PERMISSION,
        sqlite3.SQLITE_AUTH: Cause.PERMISSION,
        sqlite3.SQLITE_NOTADB: Cause.NOT_A_DATABASE,
        sqlite3.SQLITE_CORRUPT: Cause.DAMAGED,
        sqlite3.SQLITE_SCHEMA: Cause.DAMAGED,
        sqlite3.SQLITE_IOERR: Cause.DISK_ERROR,
    }
)
"""Primary result codes (https://www.sqlite.org/rescode.html)."""
_ERRNOS: Final[Mapping[int, Cause]] = MappingProxyType(
    {
        errno.ENOSPC: Cause.DISK_FULL,
        errno.EDQUOT: Cause.DISK_FULL,
        errno.EROFS: Cause.READ_ONLY,
        errno.EACCES: Cause.PERMISSION,
        errno.EPERM: Cause.PERMISSION,
        errno.ENOENT: Cause.NO_FOLDER,
        errno.ENOTDIR: Cause.NO_FOLDER,
        errno.EISDIR: Cause.NO_FILE,
        errno.ELOOP: Cause.NO_FILE,
        errno.EEXIST: Cause.NO_FILE,
        errno.EIO: Cause.DISK_ERROR,
        errno.ESTALE: Cause.DISK_ERROR,
    }
)
_NO_TABLE: Final = "no such table"


def primary(error: Exception) -> int:
    """The primary result code of SQLite: the low byte of the extended one; 0 for other exceptions."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def cause_of(error: Exception, path: Path) -> Cause:
    """What an exception means; where SQLite only says that it cannot open the file, the path says why."""
    if isinstance(error, Busy):
        return Cause.LOCKED
    if isinstance(error, OSError):
        return _ERRNOS.get(error.errno or 0, Cause.OTHER)
    if isinstance(error, ValueError):  # a row that this store did not write
        return Cause.DAMAGED
    if primary(error) == sqlite3.SQLITE_CANTOPEN:
        return _cannot_open(path)
    if isinstance(error, sqlite3.Error) and _NO_TABLE in str(error):
        return Cause.DAMAGED
    return _CODES.get(primary(error), Cause.OTHER)


def _cannot_open(path: Path) -> Cause:
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        return Cause.NO_FOLDER
    if path.exists() and not path.is_file():
        return Cause.NO_FILE
    if not os.access(path if path.exists() else folder, os.R_OK | os.W_OK):
        return Cause.PERMISSION
    return Cause.DISK_ERROR


def detail_of(error: Exception) -> str:
    """SQLite's or the operating system's own words; neither repeats a value of ours."""
    if isinstance(error, sqlite3.Error):
        return f"SQLite: {error}"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
