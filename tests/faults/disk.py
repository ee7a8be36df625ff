"""A small disk for a store: it can be filled, and turned read-only."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BYTES: Final = 2**20
PADDING: Final = 2 * BYTES
"""The least size of the `-wal` file, in bytes, where no disk can be made and the size of files is limited."""
WRITE_VERSION: Final = 18
"""Where a database says which format a program must know to write it (https://www.sqlite.org/fileformat)."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A folder, on a disk of its own where this process may mount one."""

    folder: Path
    is_mounted: bool

    @property
    def file(self) -> Path:
        """Where the store is."""
        return self.folder / "homelab.db"

    @contextlib.contextmanager
    def full(self, pid: int) -> Iterator[None]:
        """No byte more is written; `pid` is the process that would."""
        ballast = self.folder / "ballast"
        if self.is_mounted:
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * 4096)
            try:
                yield
            finally:
                ballast.unlink()
            return
        with contextlib.closing(sqlite3.connect(self.file)) as other:
            other.execute("CREATE TABLE IF NOT EXISTS ballast (bytes)")
            other.execute("INSERT INTO ballast VALUES (zeroblob(?))", [PADDING])
            other.commit()
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (BYTES, before[1]))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    @contextlib.contextmanager
    def read_only(self) -> Iterator[None]:
        """What is at the path may not be written."""
        if self.is_mounted:
            _mount(self.folder, "ro")
            try:
                yield
            finally:
                subprocess.run(["umount", str(self.folder)], check=True, timeout=10)
            return
        other = copy_of(self.file)
        with other.open("r+b") as file:
            file.seek(WRITE_VERSION)
            file.write(b"\3")
        other.replace(self.file)
        try:
            yield
        finally:
            self.file.unlink()


def copy_of(file: Path) -> Path:
    """A whole database beside another, with its last changes."""
    other = file.with_name("other")
    with (
        contextlib.closing(sqlite3.connect(file)) as known,
        contextlib.closing(sqlite3.connect(other)) as copy,
    ):
        known.backup(copy)
    return other


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk for the length of the block; without the right to mount, an ordinary folder."""
    is_mounted = False
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        _mount(folder, f"size={BYTES}")
        is_mounted = True
    try:
        yield Disk(folder, is_mounted)
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=10)


def _mount(folder: Path, options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "homelab-test", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=10)
