"""Figures as text for a terminal, as Markdown for a page, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Final

from bench.figure import Figure
from bench.machine import Machine

COLUMNS: Final = ("what", "with", "hooks", "median", "p99", "least", "most", "unit", "n", "aim")
LEFT: Final = frozenset({"what", "with", "hooks", "unit", "aim"})
BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"
AIMS: Final = "aims"
SECTIONS: Final = {
    AIMS: "What is aimed at",
    "hooks": "Time of our hooks in a request",
    "lane": "The OptiLLM lane alone",
    "load": "Requests per second and latency, end to end",
    "start": "Start-up",
    "loop": "A loop",
}


def as_json(machine: Machine, figures: Iterable[Figure]) -> str:
    """Everything, for a machine to read."""
    document = {"machine": asdict(machine), "figures": [figure.document() for figure in figures]}
    return json.dumps(document, indent=2)


def as_text(machine: Machine, figures: Sequence[Figure]) -> str:
    """A table for each section, its columns aligned, and below it how each number was measured."""
    parts = [machine.line()]
    for name, found in [*_aims(figures), *_sections(figures)]:
        parts += ["", _title(name), *_aligned([_row(figure) for figure in found])]
        parts += [f"  {how}" for how in _hows(found)] if name != AIMS else []
    return "\n".join(parts)


def as_markdown(machine: Machine, figures: Sequence[Figure]) -> str:
    """The same for a page."""
    parts = [f"Measured: {machine.line()}."]
    for name, found in [*_aims(figures), *_sections(figures)]:
        parts += ["", f"### {_title(name)}", ""]
        parts += ["| " + " | ".join(COLUMNS) + " |", "|" + "|".join(_rule(one) for one in COLUMNS) + "|"]
        parts += ["| " + " | ".join(_row(figure)) + " |" for figure in found]
        parts += ["", *(f"- {how}" for how in _hows(found))] if name != AIMS else []
    return "\n".join(parts) + "\n"


def put_into(page: Path, markdown: str) -> None:
    """Replace what stands between the two marks of a page; see `parts_of` for what it raises."""
    before, after = parts_of(page)
    page.write_text(f"{before}{BEGIN}\n{markdown}{END}{after}", encoding="utf-8")


def parts_of(page: Path) -> tuple[str, str]:
    """
    What stands before the numbers of a page, and after them.

    Raises:
        ValueError: the page has no place for numbers.

    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page}: no place for the numbers; it needs the lines {BEGIN} and {END}")
    return before, after


def _sections(figures: Iterable[Figure]) -> list[tuple[str, list[Figure]]]:
    return [(name, [*found]) for name, found in groupby(figures, key=lambda figure: figure.section)]


def _aims(figures: Iterable[Figure]) -> list[tuple[str, list[Figure]]]:
    """The figures that have an aim, before all others; they stand in their sections again."""
    found = [figure for figure in figures if figure.aim is not None]
    return [(AIMS, found)] if found else []


def _title(section: str) -> str:
    return SECTIONS.get(section, section)


def _row(figure: Figure) -> list[str]:
    parameters = ", ".join(f"{name} {value}" for name, value in figure.parameters.items())
    p99 = "" if figure.p99 is None else number(figure.p99)
    values = [number(figure.median), p99, number(figure.least), number(figure.most)]
    return [figure.what, parameters, figure.hooks, *values, figure.unit, str(figure.n), _aim(figure)]


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    verdict = {True: "reached", False: "missed", None: "too few rounds"}[figure.reached]
    return f"{figure.aim.of} < {number(figure.aim.below)}: {verdict}"


def number(value: float) -> str:
    """Three digits that say something; whole from 100 on."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _aligned(rows: list[list[str]]) -> list[str]:
    table = [[*COLUMNS], *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(COLUMNS))]
    return [
        "  ".join(_cell(*one) for one in zip(COLUMNS, row, widths, strict=True)).rstrip() for row in table
    ]


def _cell(column: str, text: str, width: int) -> str:
    return text.ljust(width) if column in LEFT else text.rjust(width)


def _rule(column: str) -> str:
    return "---" if column in LEFT else "--:"


def _hows(figures: Iterable[Figure]) -> list[str]:
    """How the figures of a section were measured: each way once, with the figures that it is of."""
    ways: dict[str, dict[str, None]] = {}
    for figure in figures:
        ways.setdefault(figure.how, {})[figure.what] = None
    if len(ways) == 1:
        return [f"How: {how}." for how in ways]
    return [f"How ({_named(names)}): {how}." for how, names in ways.items()]


def _named(names: Iterable[str]) -> str:
    found = [*names]
    return "; ".join(found) if len(found) <= 3 else f"{found[0]}; {found[1]}; and {len(found) - 2} more"
