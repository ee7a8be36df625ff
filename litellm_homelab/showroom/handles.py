"""Names of handles: what a canonical id looks like, and a user's handles.jsonl."""

from __future__ import annotations

import json
import re
from pathlib import Path

from litellm_homelab.config import text_file
from litellm_homelab.config.wording import quoted, reason, shown
from litellm_homelab.optillm import lineage

CANONICAL = re.compile(r"mlx-[a-z0-9]+(-[a-z0-9]+)*")
"""`mlx-<family>-<params>-<quant>-<variant>`: lower case, dash-only, no vendor prefix (the contract)."""
SIZE = re.compile(r"(?:[0-9]+x)?[0-9]+(?:b|m)(?:a[0-9]+b)?")
"""A size part such as `7b`, `120b`, `8x7b`, `350m`."""
HANDLE = re.compile(r"[A-Za-z0-9._:/@+-]+")
"""Names as Ollama (`qwen2.5:7b`), OpenRouter (`deepseek-r1:free`) and Hugging Face write them."""
FIELDS = ("handle", "kind", "invoke", "managed_by", "endpoint_ref", "selector", "notes")
"""What a line of handles.jsonl may hold; only `handle` is needed, and only it is used."""


def naming_problem(name: str) -> str | None:
    """What is wrong with a handle's name, in words, or None."""
    if not HANDLE.fullmatch(name):
        return f"{quoted(name)} is not a valid name: use only letters, digits and . _ : / @ + -"
    if lineage.MARKER in name:
        return f"{quoted(name)} holds {lineage.MARKER}, which marks calls of OptiLLM; choose another name"
    if name.startswith("mlx-") and "/" not in name and not _canonical(name):
        return (
            f"{quoted(name)} starts with mlx- but is not a canonical id, "
            "mlx-<family>-<params>-<quant>-<variant>: lower case, dashes only, "
            "with a size such as 7b or 120b between the first and the last part"
        )
    return None


def _canonical(name: str) -> bool:
    parts = name.split("-")[1:]
    return bool(CANONICAL.fullmatch(name)) and any(SIZE.fullmatch(part) for part in parts[1:-1])


def read(folder: Path, name: str | None) -> tuple[dict[str, int], list[str]]:
    """Handles of a handles.jsonl (a JSON object or nothing on each line) by line number, and its problems."""
    if name is None:
        return {}, []
    where = f"homelab.showroom.handles_file: {name}"
    try:
        text = text_file.read(folder / name)
    except (OSError, ValueError) as error:
        return {}, [f"{where}: {reason(error)}"]
    return parse(text, where)


def parse(text: str, where: str) -> tuple[dict[str, int], list[str]]:
    """Handles of a file's text, as `read` gives them; `where` is how the file's problems begin."""
    handles: dict[str, int] = {}
    problems: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            handle = _handle(line)
        except ValueError as error:
            problems.append(f"{where}: line {number}: {error}")
            continue
        if handle in handles:
            first = handles[handle]
            problems.append(
                f"{where}: line {number}: duplicate name {quoted(handle)} (first listed on line {first})"
            )
        handles.setdefault(handle, number)
    return handles, problems


def _handle(line: str) -> str:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(reason(error)) from error
    if not isinstance(entry, dict):
        raise ValueError(f"expected an object, got {shown(entry)}")
    unknown = [key for key in entry if key not in FIELDS]
    if unknown:
        raise ValueError(f"unknown field {quoted(unknown[0])} (known: {', '.join(FIELDS)})")
    handle = entry.get("handle")
    if not isinstance(handle, str) or not handle:
        raise ValueError(f"handle: expected a name, got {shown(handle)}")
    return handle
