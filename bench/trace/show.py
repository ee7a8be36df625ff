"""Counts as text for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Final

from bench.trace.count import Count, Line
from bench.trace.kinds import KINDS
from bench.trace.recorded import Record, Row

HEAD: Final = ("request", "calls", "files", "opcodes of ours", "whole process", "stock", "over stock")
WHERE: Final = ("opcodes", "share", "calls", "file and function")
COMPARED: Final = ("request", "calls", "files", "opcodes of ours", "recorded", "growth")
MARKDOWN_RULE: Final = "|---|" + "--:|" * (len(HEAD) - 1)


def table(record: Record) -> str:
    """One line for each kind of request, columns aligned."""
    setting = record.setting
    head = f"Opcodes for one request; Python {setting.python}, LiteLLM {setting.litellm}, {setting.date}"
    return "\n".join([head, "", *_aligned([HEAD, *_rows(record.rows)], left=0)])


def comparison(before: Record, now: Record) -> str:
    """The recorded opcodes of ours beside the new ones; empty cells for a kind that was not recorded."""
    rows = []
    for name, row in now.rows.items():
        old = before.rows.get(name)
        cells = ("", "") if old is None else (f"{old.opcodes:,}", f"{row.opcodes / old.opcodes - 1:+.1%}")
        rows.append((KINDS[name].title, f"{row.calls:,}", f"{row.files:,}", f"{row.opcodes:,}", *cells))
    return "\n".join(_aligned([COMPARED, *rows], left=0))


def markdown(record: Record) -> str:
    """The same table for a page."""
    return "\n".join([_markdown_row(HEAD), MARKDOWN_RULE, *map(_markdown_row, _rows(record.rows))]) + "\n"


def where(name: str, count: Count) -> str:
    """What each file and function of ours costs for one kind of request, the most expensive first."""
    by_file: dict[str, list[Line]] = defaultdict(list)
    for line in count.lines:
        by_file[line.file].append(line)
    files = [
        Line(file, "", sum(one.calls for one in lines), sum(one.opcodes for one in lines))
        for file, lines in by_file.items()
    ]
    head = (
        f"{KINDS[name].title}: {count.calls:,} calls, {count.files} files, {count.opcodes:,} opcodes of ours"
    )
    parts = [head]
    for title, lines in (("By file", files), ("By function", count.lines)):
        parts += ["", title, *_aligned([WHERE, *_costs(lines, count.opcodes)], left=len(WHERE) - 1)]
    return "\n".join(parts)


def _rows(rows: Mapping[str, Row]) -> Iterable[tuple[str, ...]]:
    for name, row in rows.items():
        *numbers, stock = astuple(row)
        over = row.over_stock
        yield (
            KINDS[name].title,
            *(f"{number:,}" for number in numbers),
            "" if stock is None else f"{stock:,}",
            "" if over is None else f"{over:+.2%}",
        )


def _costs(lines: Iterable[Line], total: int) -> Iterable[tuple[str, ...]]:
    for line in sorted(lines, key=lambda one: (-one.opcodes, one.file, one.function)):
        named = f"{line.file}: {line.function}" if line.function else line.file
        yield f"{line.opcodes:,}", f"{line.opcodes / total:.1%}", f"{line.calls:,}", named


def _aligned(rows: Sequence[Sequence[str]], left: int) -> list[str]:
    """The rows with columns of one width; the column `left` is aligned to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place == left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
