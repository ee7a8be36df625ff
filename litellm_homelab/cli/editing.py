"""What the commands that change a router.yaml have in common: `init` and `sync`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

PROBLEMS: Final = 1
UNUSABLE: Final = 2


class Unusable(Exception):
    """A file cannot be used; the text says which and why, a line for each problem."""

    def __init__(self, path: Path, error: OSError | ValueError, what: str = "") -> None:
        from litellm_homelab.config.wording import reason

        why = reason(error) if isinstance(error, OSError | UnicodeError) else str(error)
        if what and isinstance(error, OSError):
            why = f"{what}: {error.strerror}"
        super().__init__("\n".join(f"{path}: {one}" for one in why.split("\n")))


def add_arguments(parser: argparse.ArgumentParser, config: str) -> None:
    """Add what both commands take; `config` says which file."""
    parser.add_argument("config", metavar="CONFIG", type=Path, help=config)
    parser.add_argument("--env", metavar="FILE", type=Path, help="its environment, NAME=value a line")
    parser.add_argument("--write", action="store_true", help="change the file, and keep the old one")


def environ_with(file: Path | None) -> dict[str, str]:
    """
    The process environment with the variables of an env file.

    Raises:
        Unusable: the file cannot be read.

    """
    from litellm_homelab.cli import environment
    from litellm_homelab.config import text_file

    try:
        given = environment.parse(text_file.read(file), str(file)) if file else {}
    except (OSError, ValueError) as error:
        raise Unusable(file or Path(), error) from error
    return {**os.environ, **given}


def show_or_write(path: Path, texts: tuple[str, str], new_name: str, *, write: bool) -> None:
    """
    Print the diff of a file before and after, or write it and say where the old one is.

    Raises:
        Unusable: it could not be written; it is as it was.

    """
    from litellm_homelab.adopt import writing

    before, after = texts
    if not write:
        print(writing.diff(before, after, str(path), new_name), end="")
        return
    try:
        print(f"{path}: written; the old file is {writing.write(path, after)}")
    except OSError as error:
        raise Unusable(path, error, "not written") from error


def say(what: str, lines: Iterable[str]) -> None:
    """Print notes to standard error, without anything that looks like a key."""
    from litellm_homelab.config.wording import hide_keys, one_line

    for line in lines:
        print(f"{what}: {one_line(hide_keys(line))}", file=sys.stderr)


def unusable(command: str, error: Unusable) -> int:
    """Print why a command ends, a line for each problem; its exit status."""
    say(f"litellm-homelab {command}", str(error).split("\n"))
    return UNUSABLE
