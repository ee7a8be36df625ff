"""
The table of faults in docs/faults.md, made of what each test declares.

    python -m tests.faults.table        writes it
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "faults.md"
BEGIN: Final = "<!-- faults: written by `python -m tests.faults.table` -->"
END: Final = "<!-- end of faults -->"
KINDS: Final = (
    *("Backends and OptiLLM", "Redis", "SQLite", "Configuration", "Processes and clocks", "Clients"),
)
HEAD: Final = ("fault", "what the client sees", "what is lost", "how it recovers", "tested in")

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Row:
    """One fault, in plain words."""

    kind: str
    fault: str
    sees: str
    lost: str
    recovers: str
    file: str
    """The test's file, below the repository."""
    test: str


_DECLARED: Final[list[Row]] = []


def fault(kind: str, what: str, *, sees: str, lost: str, recovers: str) -> Callable[[Test], Test]:
    """Declare the fault that a test shows."""

    def declared(test: Test) -> Test:
        file = f"{test.__module__.replace('.', '/')}.py"
        _DECLARED.append(Row(kind, what, sees, lost, recovers, file, test.__name__))
        return test

    return declared


LINKED: Final = (
    Row(
        "SQLite",
        "the file is deleted or replaced",
        "nothing; an OptiLLM request that is under way may fail",
        "the counts of OptiLLM requests under way; each worker restores what it has counted of quotas",
        "each worker notices at its next request and uses the file at that path; the log says so",
        "tests/real/lane/test_store_deleted.py",
        "test_a_deleted_file_and_a_worker_that_starts_later",
    ),
    Row(
        "Redis",
        "restarted, with its file or emptied",
        "503 `policy_error` on OptiLLM handles and where a quota counts, while it is away",
        "nothing of quotas: each worker restores what it has counted, and none is served twice",
        "by itself, within a second of its return",
        "tests/real/test_quotas.py",
        "test_the_backend_sees_the_quota_and_no_more",
    ),
    Row(
        "Processes and clocks",
        "kill -9 of a worker",
        "the requests on that worker break off; others are served",
        "its requests; its slots are taken until their lease of 15 s ends",
        "LiteLLM starts another worker; slots come back by themselves",
        "tests/real/test_queue.py",
        "test_a_killed_worker_gives_its_slots_back",
    ),
    Row(
        "Backends and OptiLLM",
        "a backend answers nothing, or stops in mid-stream, and stays connected",
        "the answer of the next fallback, else 504 `upstream_timeout`; in mid-stream, an error event",
        "the rest of an answer that had begun",
        "with the next request",
        "tests/real/test_timeouts.py",
        "test_every_fault_beside_stock",
    ),
)
"""Faults that other tests show."""


def rows() -> list[Row]:
    """All rows, by kind, in the order of the tests."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.faults.{path.stem}")
    return sorted((*_DECLARED, *LINKED), key=lambda row: KINDS.index(row.kind))


def written() -> str:
    """The part of the page between the two markers, markers included."""
    return "\n".join([BEGIN, *_lines(), END])


def _lines() -> Iterator[str]:
    found = rows()
    for kind in KINDS:
        yield from (f"\n## {kind}\n", f"| {' | '.join(HEAD)} |", "|---" * len(HEAD) + "|")
        for row in found:
            if row.kind == kind:
                yield f"| {row.fault} | {row.sees} | {row.lost} | {row.recovers} | `{row.file}` |"
    yield ""


def on_page(text: str) -> str:
    """The page's own table, markers included; empty where it has none."""
    _, begin, rest = text.partition(BEGIN)
    table, end, _ = rest.partition(END)
    return begin + table + end if begin and end else ""


def main() -> None:
    """Write the table into the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.replace(on_page(text), written()), encoding="utf-8")


if __name__ == "__main__":
    # As a module of its own name: the tests declare their rows there.
    importlib.import_module("tests.faults.table").main()
