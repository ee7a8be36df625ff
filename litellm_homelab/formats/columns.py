"""Plain text in aligned columns, for a terminal: each name is one line, whatever it contains."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from litellm_homelab.config.wording import one_line

Paint: TypeAlias = Callable[[int, str, str], str]
"""(column, text of the cell, the same padded) to what is printed: colours have no width."""
GAP: Final = "  "


def width(text: str) -> int:
    """How many cells of a terminal a text takes: two for an East Asian wide character, none for an accent."""
    return sum(_cells(one) for one in text)


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, longest: int) -> str:
    """A text of at most so many cells; one that is longer ends in `…`."""
    if width(text) <= longest:
        return text
    kept, used = "", 1
    for one in text:
        used += _cells(one)
        if used > longest:
            break
        kept += one
    return f"{kept}…"


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    indent: str = "",
    paint: Paint = lambda _, __, padded: padded,
) -> Iterator[str]:
    """
    A line for each row, its cells below each other; every row has as many cells as the first.

    Control characters and what has no picture are escaped. The columns of `right` are set to the right.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        padded = [
            paint(number, cell, _padded(cell, widths[number], is_right=number in right))
            for number, cell in enumerate(row)
        ]
        yield (indent + GAP.join(padded)).rstrip()


def _padded(cell: str, size: int, *, is_right: bool) -> str:
    blanks = " " * (size - width(cell))
    return blanks + cell if is_right else cell + blanks
