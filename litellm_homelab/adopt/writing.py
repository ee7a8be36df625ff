"""A changed file: its diff, and how it takes the old one's place."""

from __future__ import annotations

import difflib
import os
from pathlib import Path


def diff(before: str, after: str, name: str, new_name: str) -> str:
    """The change as a unified diff; empty where there is none."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    found = difflib.unified_diff(old, new, name, new_name)
    return "".join(one if one.endswith("\n") else f"{one}\n\\ No newline at end of file\n" for one in found)


def write(path: Path, text: str) -> Path:
    """
    Write the file, with the old one beside it; the new one takes its place whole or not at all.

    A link stays a link: the file that it leads to is replaced. The old file's name is returned.

    Raises:
        OSError: one of the two could not be written; the old file is as it was.

    """
    target = path.resolve()
    backup = _free(path)
    mode = target.stat().st_mode
    new = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        new.chmod(mode)
        backup.write_bytes(target.read_bytes())
        backup.chmod(mode)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return backup


def _free(path: Path) -> Path:
    """`router.yaml.bak`, or the first number that is free."""
    number, found = 0, path.with_name(f"{path.name}.bak")
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.bak.{number}")
    return found
