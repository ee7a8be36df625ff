"""
The list of messages in docs/check.md, made from the registry of the check.

    python -m tests.docs.check_page > docs/check.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from litellm_homelab.check.finding import MessageId
from litellm_homelab.check.registry import message_ids

PAGE = Path(__file__).parents[2] / "docs" / "check.md"
START = "<!-- Made by `python -m tests.docs.check_page`; tests/docs/test_check.py compares it. -->\n"


def page() -> str:
    """The page as it is up to the mark, then every message."""
    head, _, _ = PAGE.read_text(encoding="utf-8").partition(START)
    return head + START + "".join(_tables())


def _tables() -> Iterator[str]:
    for heading, messages in message_ids().items():
        yield f"\n### {heading}\n\n| id | severity | what it means |\n|---|---|---|\n"
        yield from map(_row, messages)


def _row(one: MessageId) -> str:
    return f"| `{one.id}` | {one.severity} | {one.title} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
