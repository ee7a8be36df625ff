"""Names of handles: what a canonical id looks like, and a user's handles.jsonl."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

CANONICAL = re.compile(r"mlx-[a-z0-9]+(-[a-z0-9]+)*")
"""`mlx-<family>-<params>-<quant>-<variant>`: lower case, dash-only, no vendor prefix (the contract)."""
SIZE = re.compile(r"(?:[0-9]+x)?[0-9]+(?:b|m)(?:a[0-9]+b)?")
"""A size part such as `7b`, `120b`, `8x7b`, `350m`."""
HANDLE = re.compile(r"[A-Za-z0-9._/-]+")
FIELDS = ("handle", "kind", "invoke", "managed_by", "endpoint_ref", "selector", "notes")
"""What a line of handles.jsonl may hold; only `handle` is needed, and only it is used."""


def naming_problem(name: str) -> str | None:
    """What is wrong with a handle's name, in words, or None."""
    if not HANDLE.fullmatch(name):
        return f"{name!r} is no valid handle: use letters, digits and . _ / - only"
    if name.startswith("mlx-") and not _canonical(name):
        return (
            f"{name!r} is no canonical id: expected mlx-<family>-<params>-<quant>-<variant>, lower case, "
            "with a size such as 7b or 120b between the first and the last part"
        )
    return None


def _canonical(name: str) -> bool:
    parts = name.split("-")[1:]
    return bool(CANONICAL.fullmatch(name)) and any(SIZE.fullmatch(part) for part in parts[1:-1])


def read(folder: Path, name: str | None) -> tuple[tuple[str, ...], list[str]]:
    """Handles of a handles.jsonl (one JSON object a line, blank lines allowed), and its problems."""
    if name is None:
        return (), []
    try:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return (), [f"homelab.showroom.handles_file: {name}: not readable: {error}"]
    handles, problems = [], []
    for handle, problem in _entries(lines):
        handles += [handle] if handle else []
        problems += [f"homelab.showroom.handles_file: {name}: {problem}"] if problem else []
    return tuple(dict.fromkeys(handles)), problems


def _entries(lines: list[str]) -> Iterator[tuple[str | None, str | None]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _entry(number, line)


def _entry(number: int, line: str) -> tuple[str | None, str | None]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        return None, f"line {number}: not JSON: {error}"
    if not isinstance(entry, dict):
        return None, f"line {number}: expected an object, got {type(entry).__name__}"
    unknown = [key for key in entry if key not in FIELDS]
    if unknown:
        return None, f"line {number}: unknown field {unknown[0]!r} (known: {', '.join(FIELDS)})"
    handle = entry.get("handle")
    if not isinstance(handle, str) or not handle:
        return None, f"line {number}: handle: expected a name, got {handle!r}"
    return handle, None
