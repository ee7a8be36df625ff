"""The recorded figures, and whether new ones are worse."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bench.processes import REPOSITORY
from bench.trace.count import Count
from bench.trace.kinds import KINDS

FILE: Final = REPOSITORY / "bench" / "results" / "trace.json"
RECORD: Final = "python -m bench trace --record"
PERCENT: Final = 10
"""By how many percent the opcodes of ours may grow before `--check` fails (issue 11)."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one kind of request costs."""

    calls: int
    files: int
    opcodes: int
    whole: int
    stock: int | None = None
    """Opcodes of the whole process without the plugin; None where they were not counted."""

    @classmethod
    def of(cls, plugin: Count, stock: Count | None) -> Row:
        """The row of one count with the plugin and one without, where only MockProxy's code is ours."""
        without = None if stock is None else stock.whole - stock.opcodes
        return cls(plugin.calls, plugin.files, plugin.opcodes, plugin.whole, without)

    @property
    def over_stock(self) -> float | None:
        """The share of stock's opcodes that comes on top with the plugin; 0.01 is 1 %."""
        return None if self.stock is None else self.whole / self.stock - 1


@dataclass(frozen=True, slots=True)
class Setting:
    """What opcode counts depend on, and when they were counted."""

    date: str
    python: str
    litellm: str

    @classmethod
    def this(cls) -> Setting:
        """The interpreter and LiteLLM that run now."""
        return cls(datetime.now(UTC).strftime("%Y-%m-%d"), platform.python_version(), version("litellm"))

    @property
    def minor(self) -> str:
        """The Python version that opcodes depend on: 3.11 compiles to other ones than 3.12."""
        return ".".join(self.python.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Record:
    """The figures of one Python version."""

    setting: Setting
    rows: Mapping[str, Row]

    def document(self) -> dict[str, Any]:
        """The record for JSON, with the shares."""
        rows = {name: {**asdict(row), "over_stock": row.over_stock} for name, row in self.rows.items()}
        return {**asdict(self.setting), "requests": rows}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Record:
        """The reverse of `document`."""
        names = ("calls", "files", "opcodes", "whole", "stock")
        rows = {
            kind: Row(**{name: row[name] for name in names}) for kind, row in document["requests"].items()
        }
        return cls(Setting(document["date"], document["python"], document["litellm"]), rows)


def read(minor: str, file: Path = FILE) -> Record | None:
    """The recorded figures for a Python version (`3.11`); None if there are none."""
    found = _documents(file).get(minor)
    return None if found is None else Record.read(found)


def write(record: Record, file: Path = FILE) -> None:
    """Put a record in the place of the one for the same Python version."""
    documents = {**_documents(file), record.setting.minor: record.document()}
    file.write_text(json.dumps(dict(sorted(documents.items())), indent=2) + "\n", encoding="utf-8")


def _documents(file: Path) -> dict[str, Any]:
    documents: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return documents


def problems(recorded: Record, now: Record) -> list[str]:
    """A line for each kind of request that costs too much more than recorded, or was never recorded."""
    return [line for name, row in now.rows.items() if (line := _problem(name, recorded.rows.get(name), row))]


def _problem(name: str, recorded: Row | None, now: Row) -> str | None:
    title = KINDS[name].title
    if recorded is None:
        return f"{title}: no figure is recorded. Record it with: {RECORD}"
    if now.opcodes * 100 <= recorded.opcodes * (100 + PERCENT):
        return None
    growth = now.opcodes / recorded.opcodes - 1
    return (
        f"{title}: {now.opcodes:,} opcodes of ours, recorded {recorded.opcodes:,}:"
        f" {growth:+.1%}, allowed +{PERCENT}%"
    )


def gains(recorded: Record, now: Record) -> list[str]:
    """The titles of those that cost so much less that the record should follow."""
    kept = {name: row for name, row in now.rows.items() if name in recorded.rows}
    return [
        KINDS[name].title
        for name, row in kept.items()
        if row.opcodes < recorded.rows[name].opcodes * (1 - PERCENT / 100)
    ]
