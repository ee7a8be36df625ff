"""Fenced code blocks of a Markdown page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
README = REPOSITORY / "README.md"
PAGES = (README, *sorted((REPOSITORY / "docs").glob("*.md")))

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block: the page it stands on, its first line there, its language and its text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def id(self) -> str:
        """Where it stands, for a test's name."""
        return f"{self.page.name}:{self.line}"


def blocks(language: str, *pages: Path) -> list[Block]:
    """All blocks of a language, in order."""
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            if match["language"] == language:
                line = text.count("\n", 0, match.start()) + 2
                found.append(Block(page, line, language, match["text"]))
    return found
