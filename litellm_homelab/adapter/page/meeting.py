"""
Where the workers of one gateway find each other: sockets in the machine's folder for temporary files.

The folder belongs to the user that the gateway runs as, and no other user may look into it. Workers of one
gateway are children of one process on one machine; that is what their sockets' names begin with.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import platform
import socket
import stat
import tempfile
import time
from pathlib import Path
from typing import Final

GONE_SECONDS: Final = 60.0
"""A socket that refuses is removed when it is so old: a younger one may be about to listen."""
BACKLOG: Final = 16


def gateway_of(machine: str, parent: int) -> str:
    """What the names of one gateway's sockets begin with: the same for all children of a process."""
    return hashlib.sha256(f"{machine} {parent}".encode()).hexdigest()[:12]


class MeetingPlace:
    """A folder with a socket for each worker; `folder` is made when the first worker enters."""

    def __init__(self, folder: Path, gateway: str) -> None:
        self._folder, self._gateway = folder, gateway

    @classmethod
    def of_this_process(cls) -> MeetingPlace:
        """That of the gateway whose worker this process is."""
        folder = _temporary() / f"litellm-homelab-{os.getuid()}"
        return cls(folder, gateway_of(platform.node(), os.getppid()))

    def path(self, worker: str) -> Path:
        """The socket of a worker."""
        return self._folder / f"{self._gateway}.{worker}"

    def has(self, worker: str) -> bool:
        """Whether the socket of a worker is there."""
        return self.path(worker).exists()

    def enter(self, worker: str) -> socket.socket:
        """
        Make a worker's socket, which listens, and remove those of workers that have ended.

        Raises:
            OSError: the folder cannot be written, belongs to another user, or has too long a path.

        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        found = self._folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise PermissionError(f"{self._folder} is open to other users; remove it, or set TMPDIR")
        self._sweep()
        path = self.path(worker)
        path.unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.bind(str(path))
            made.listen(BACKLOG)
        except OSError:
            made.close()
            raise
        atexit.register(path.unlink, missing_ok=True)
        return made

    def leave(self, worker: str) -> None:
        """Remove a worker's socket."""
        with contextlib.suppress(OSError):
            self.path(worker).unlink()

    def others(self, worker: str) -> list[str]:
        """The other workers of this gateway that have a socket."""
        found = (path.name.partition(".") for path in self._folder.glob(f"{self._gateway}.*"))
        return sorted(name for _, _, name in found if name != worker)

    def gone(self, worker: str) -> None:
        """Remove the socket of a worker that refuses, where it is old."""
        with contextlib.suppress(OSError):
            if _is_old(self.path(worker)):
                self.path(worker).unlink()

    def _sweep(self) -> None:
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if _is_old(path) and _refuses(path):
                    path.unlink()


def _temporary() -> Path:
    """The folder for temporary files; where none can be written, one in which `enter` fails."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        return Path(os.curdir)


def _refuses(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False  # busy, or not a socket of ours
        return False


def _is_old(path: Path) -> bool:
    return time.time() - path.lstat().st_mtime > GONE_SECONDS
