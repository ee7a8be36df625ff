"""A changed file: its diff, and how it takes the old one's place."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import os
import stat
from pathlib import Path


def diff(before: str, after: str, name: str, new_name: str) -> str:
    """The change as a unified diff; empty where there is none."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    found = difflib.unified_diff(old, new, name, new_name)
    return "".join(one if one.endswith("\n") else f"{one}\n\\ No newline at end of file\n" for one in found)


def write(path: Path, text: str) -> Path:
    """
    Write the file, with the old one beside it; the new one takes its place whole or not at all.

    A link stays a link: the file that it leads to is replaced. The old file's name is returned. Both have the
    mode and the owner of the file before they have content: a router.yaml may hold keys.

    Raises:
        OSError: one of the two could not be written; the old file is as it was.

    """
    target = path.resolve()
    old = target.stat()
    content = target.read_bytes()
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    try:
        _create(new, text.encode("utf-8"), old)
        backup = _backup(path, content, old)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return backup


def _create(path: Path, content: bytes, like: os.stat_result) -> None:
    """
    Create a file as another one is: at first it is its owner's alone.

    Raises:
        FileExistsError: there is one of this name, or a link.
        OSError: it could not be written whole, and is not there.

    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with contextlib.suppress(PermissionError):  # only root may give a file away
                os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _backup(path: Path, content: bytes, like: os.stat_result) -> Path:
    """The old content as `router.yaml.bak`, or with the first number that is free."""
    for number in itertools.count():
        found = path.with_name(f"{path.name}.bak{f'.{number}' if number else ''}")
        with contextlib.suppress(FileExistsError):
            _create(found, content, like)
            return found
    raise AssertionError("there is always a free number")
