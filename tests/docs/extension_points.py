"""What is missing from, or wrong on, docs/extension-points.md; one complaint a line, with the text to add."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs import declared, sources
from tests.docs.blocks import REPOSITORY

PAGE = REPOSITORY / "docs" / "extension-points.md"
MEASURED = "## Which hooks run"
TRAPS = "## LiteLLM's traps"

BACKGROUND = frozenset({"async_logging_hook"})
"""Hooks that run after the answer, at a time of LiteLLM's own."""

EXAMPLES = frozenset({"litellm_homelab.py", "litellm_homelab/prompt_limit.py"}) | {
    "litellm_homelab/adapter/policies/prompt_limit.py"
}
"""Files that the page tells the reader to write, or not to write."""

_TEST = re.compile(r"tests/[\w/]+\.py(?:::\w+)?")
_FILE = re.compile(r"`([\w./-]+\.(?:py|yaml|json|jsonl|example|toml|md))`")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def complaints(text: str) -> list[str]:
    """Everything that is wrong with the page's text; empty when it shows all that the package declares."""
    checks = (
        _hooks,
        _rules,
        _settings,
        _refusals,
        _metrics,
        _headers,
        _measured_columns,
        _traps,
        _references,
    )
    return [complaint for check in checks for complaint in check(text)]


def rows(text: str, heading: str | None = None) -> list[list[str]]:
    """Cells of every table row, header rows included; of one section when a heading is given."""
    if heading is not None:
        _, _, after = text.partition(f"{heading}\n")
        text = re.split(r"^## ", after, maxsplit=1, flags=re.MULTILINE)[0]
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def _row_with(text: str, *words: str) -> str | None:
    lines = (line for line in text.splitlines() if line.startswith("| "))
    return next((line for line in lines if all(f"`{word}`" in line for word in words)), None)


def _hooks(text: str) -> Iterator[str]:
    for name in declared.entry_points():
        if f"`{name}`" not in text:
            yield f"entry point `{name}` is missing"
    for hook in declared.hook_methods():
        row = _row_with(text, hook.signature, hook.owner)
        if row is None:
            yield f"hook is missing: a row with | `{hook.signature}` | `{hook.owner}` |"
        elif not _TEST.search(row):
            yield f"hook {hook.owner}.{hook.name}: its row names no test"


def _rules(text: str) -> Iterator[str]:
    for name in declared.rules():
        row = _row_with(text, name)
        if row is None:
            yield f"rule is missing: a row with `{name}`"
        elif not _TEST.search(row):
            yield f"rule {name}: its row names no test"
    for name in declared.room_modules():
        if f"`{name}" not in text:
            yield f"the hooks import {name}: a line with `{name}` is missing"


def _settings(text: str) -> Iterator[str]:
    for setting in declared.settings():
        start = f"| `{setting.path}` | {setting.type} | {setting.default} | "
        if start not in text:
            yield f"setting is missing or differs: a row that starts with {start}"


def _refusals(text: str) -> Iterator[str]:
    for kind, status in sources.refusals():
        if f"| `{kind}` | {status} | " not in text:
            yield f"refusal is missing or differs: a row that starts with | `{kind}` | {status} | "
    for wording in sources.wordings():
        pattern = ".*".join(re.escape(part) for part in wording.parts)
        if not re.search(pattern, text):
            yield f"wording is missing ({wording.place}): {wording.shown}"


def _metrics(text: str) -> Iterator[str]:
    for name in sources.metrics():
        if f"`{name}" not in text:
            yield f"metric `{name}` is missing"


def _headers(text: str) -> Iterator[str]:
    for name in sources.headers():
        if f"`{name}" not in text:
            yield f"header `{name}` is missing"


def _measured_columns(text: str) -> Iterator[str]:
    columns = (rows(text, MEASURED) or [[]])[0]
    for name in sorted({hook.name for hook in declared.hook_methods()} - BACKGROUND):
        if f"`{name}`" not in columns:
            yield f"{MEASURED}: no column `{name}` (and tests/docs/probe.py must see it)"


def _traps(text: str) -> Iterator[str]:
    for number, row in enumerate(rows(text, TRAPS)[1:], start=1):
        line = " | ".join(row)
        for what, pattern in (("version", _VERSION), ("file of ours", _FILE), ("test", _TEST)):
            if not pattern.search(line):
                yield f"{TRAPS}, row {number}: names no {what}: {row[0]}"


def _references(text: str) -> Iterator[str]:
    for reference in sorted(set(_TEST.findall(text))):
        file, _, test = reference.partition("::")
        if not (REPOSITORY / file).is_file() or (test and test not in _tests(REPOSITORY / file)):
            yield f"there is no {reference}"
    for name in sorted(set(_FILE.findall(text)) - EXAMPLES):
        if not ((REPOSITORY / name).exists() or (declared.PACKAGE / name).exists()):
            yield f"there is no file {name}"


@functools.cache
def _tests(file: Path) -> frozenset[str]:
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return frozenset(node.name for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


CHECKS = (_hooks, _rules, _settings, _refusals, _metrics, _headers, _measured_columns, _traps, _references)
