"""Reads a text file that a person named: it may be missing, a folder, a pipe, binary, or without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

LARGEST: Final = 64 * 2**20
"""Bytes of the largest file; a registry of a thousand models has less than one megabyte."""


def read(path: Path) -> str:
    """
    Return the text of a regular file in UTF-8.

    Raises:
        OSError: the file cannot be opened.
        ValueError: its name or its content cannot be text, it is not a regular file, or it is too large.

    """
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("not a regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"larger than {LARGEST // 2**20} MB")
    return content.decode("utf-8")


def _without_waiting(path: str, flags: int) -> int:
    # A pipe without a writer would keep the start waiting.
    return os.open(path, flags | os.O_NONBLOCK)
