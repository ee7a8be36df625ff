"""Console blocks of a page: what a reader types after `$`, and what is printed below it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.blocks import blocks

PROMPT = "$ "


@dataclass(frozen=True, slots=True)
class Typed:
    """One command, its lines joined, and what the page says that it prints; where it stands."""

    id: str
    command: str
    printed: str


def typed(page: Path) -> Iterator[Typed]:
    """Every command of a page's console blocks, in order."""
    for block in blocks("console", page):
        command: list[str] = []
        printed: list[str] = []
        line = block.line
        for number, text in enumerate(block.text.splitlines(), start=block.line):
            if text.startswith(PROMPT):
                if command:
                    yield _typed(page, line, command, printed)
                command, printed, line = [text.removeprefix(PROMPT)], [], number
            elif command and command[-1].endswith("\\") and not printed:
                command.append(text)
            else:
                printed.append(text)
        assert command, f"{block.id}: no line begins with {PROMPT!r}"
        yield _typed(page, line, command, printed)


def _typed(page: Path, line: int, command: list[str], printed: list[str]) -> Typed:
    return Typed(f"{page.name}:{line}", "\n".join(command), "\n".join(printed))


def keeps(text: str, promise: str) -> bool:
    """Whether a text is what was promised; `...` is any text, within a line or over several."""
    pattern = ".*".join(re.escape(part) for part in promise.strip().split("..."))
    return re.fullmatch(pattern, text.strip(), re.DOTALL) is not None
