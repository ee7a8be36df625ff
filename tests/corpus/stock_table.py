"""
What stock LiteLLM serves of the cases of each published advisory, in several versions, as a table.

    python -m tests.corpus.stock_table                      # of the installed LiteLLM, as JSON
    python -m tests.corpus.stock_table PYTHON [PYTHON...]   # of the LiteLLM of each interpreter, as a table

`make stock-table` does it for every tested version and writes the table into docs/configuration.md. A case
is served if a backend is called, or an answer or a name comes back that should not; what the request then
achieves is not asked. Stock LiteLLM runs on the router of the corpus, without a database.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib.metadata
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from litellm_homelab.advisories.listed import published
from litellm_homelab.testing import MockProxy
from tests.corpus import replay
from tests.corpus.case import by_advisory, load

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "configuration.md"
BEGIN, END = "<!-- stock -->\n", "<!-- end of stock -->\n"
MARK: Final = "stock:"
"""How the line with the JSON begins; LiteLLM writes lines of its own."""

Served: TypeAlias = Mapping[str, tuple[int, int]]
"""For each advisory how many of its cases are served, and how many there are."""


async def served() -> Served:
    """Replay the cases of advisories on the installed LiteLLM, without our hooks."""
    cases = [case for case in load() if case.advisory]
    with tempfile.TemporaryDirectory() as folder:
        async with MockProxy(replay.stock(Path(folder))) as stock:
            logging.disable(logging.CRITICAL)
            return by_advisory(cases, await replay.through(stock, cases, replay.STOCK_KEYS))


def table(found: Mapping[str, Served], on: dt.date) -> str:
    """The table: a row for each advisory, a column for each version."""
    what = {one.id: one.what for one in published().advisories}
    head = ("advisory", "what it is", *(f"stock {version}" for version in found))
    rows = [head, ["---"] * len(head)]
    for advisory in next(iter(found.values())):
        cells = (cell(*one[advisory]) for one in found.values())
        rows.append((advisory, what[advisory], *cells))
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"On {on.isoformat()}:\n\n{lines}"


def cell(served: int, tried: int) -> str:
    """How many of an advisory's cases are served, in words."""
    return f"serves {served} of {tried}" if served else f"none of {tried}"


def written(page: str, made: str) -> str:
    """The page with this table in the place of its own."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{made}\n{END}{rest.partition(END)[2]}"


def column(version: str) -> dict[str, str]:
    """
    What the page says of a version, by advisory.

    Raises:
        ValueError: the page's table has no such version.

    """
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    head, _, *rows = (
        [*map(str.strip, line.split("|")[1:-1])] for line in text.splitlines() if line[:1] == "|"
    )
    place = head.index(f"stock {version}")
    return {row[0]: row[place] for row in rows}


def ask(python: str) -> tuple[str, Served]:
    """The version that an interpreter has, and what it serves."""
    command = [python, "-m", __spec__.name]
    output = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=1800
    ).stdout
    line = next(one for one in output.splitlines() if one.startswith(MARK))
    answer = json.loads(line.removeprefix(MARK))
    return answer["version"], {name: tuple(pair) for name, pair in answer["served"].items()}


def main(pythons: Sequence[str]) -> None:
    """Run the command line."""
    if not pythons:
        version = importlib.metadata.version("litellm")
        print(MARK + json.dumps({"version": version, "served": asyncio.run(served())}))
        return
    found = dict(sorted(map(ask, pythons), key=lambda one: [int(part) for part in one[0].split(".")]))
    made = table(found, dt.datetime.now(dt.UTC).date())
    print(made)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
