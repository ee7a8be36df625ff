"""Text of strangers, made fit for a model and a terminal: without control characters, and in pieces."""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
"""Control characters (not tab, line feed) and what a reader does not see: a model could obey it."""
_EMPTY_LINES: Final = re.compile(r"\n{3,}")


def seen(text: str) -> str:
    """The text without what a reader does not see, and with one empty line at most in a row."""
    ended = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    # By lines: a pattern of spaces before a line's end takes quadratic time.
    lines = "\n".join(line.rstrip() for line in ended.split("\n"))
    return _EMPTY_LINES.sub("\n\n", lines).strip()


def one_line(text: str, most: int) -> str:
    """The same on one line of at most `most` characters."""
    line = " ".join(seen(text).split())
    return line if len(line) <= most else line[: most - 3].rstrip() + "..."


def piece_of(text: str, start: int, most: int) -> tuple[str, str]:
    """Characters from `start` on, and a note where that is not all; empty where it is."""
    piece = text[start : start + most]
    end = start + len(piece)
    if start == 0 and end >= len(text):
        return piece, ""
    if not piece:
        return "", f"[There is nothing from character {start} on: the text has {len(text)}.]"
    more = f" For more, call again with start={end}." if end < len(text) else ""
    return piece, f"[Characters {start} to {end} of {len(text)}.{more}]"
