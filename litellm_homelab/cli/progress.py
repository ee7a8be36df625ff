"""How far a command is, and why one ends: on standard error."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

QUIET_SECONDS = 1.0
"""What takes no longer says nothing on its way."""


def failed(command: str, why: str, status: int) -> int:
    """Print why a command ends, on one line, without anything that looks like a key; its exit status."""
    from litellm_homelab.config.wording import hide_keys, one_line

    print(one_line(hide_keys(f"litellm-homelab {command}: {why}")), file=sys.stderr, flush=True)
    return status


def has_colours() -> bool:
    """Whether the output is a terminal that shows colours."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def progress() -> tuple[Callable[[str], None], Callable[[], None]]:
    """
    Two functions: one that says how far it is, once a second has passed, and one that ends that.

    On a terminal one line is written over; elsewhere each is one of its own.
    """
    begun, is_terminal = time.monotonic(), sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    said: list[str] = []

    def say(what: str) -> None:
        from litellm_homelab.config.wording import hide_keys, one_line

        seconds = time.monotonic() - begun
        if seconds < QUIET_SECONDS or said[-1:] == [what]:
            return
        said.append(what)
        line = one_line(hide_keys(f"{seconds:4.0f} s  {what}"))
        print(f"\r\x1b[K{line}" if is_terminal else line, end="" if is_terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def end() -> None:
        if said and is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    return say, end
