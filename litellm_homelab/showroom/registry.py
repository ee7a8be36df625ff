"""The MLX registry (registry.json, version 2): which model's files lie where."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

VERSION = 2


class Entry(BaseModel):
    """One model of the registry; it may hold more fields than those read here."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

    model_id: str | None = None
    repo_id: str | None = None
    source_path: str | None = None
    cache_path: str | None = None
    format: str | None = None
    context_length: int | None = None
    max_output_tokens: int | None = None

    @property
    def path(self) -> str:
        """Where the model's files are: `cache_path`, else `source_path`."""
        return self.cache_path or self.source_path or ""


def read(folder: Path, name: str | None) -> tuple[dict[str, Entry], list[str]]:
    """Entries of a registry.json by model id, and its problems."""
    if name is None:
        return {}, []
    where = f"homelab.showroom.registry: {name}"
    try:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return {}, [f"{where}: not readable: {error}"]
    if not isinstance(document, dict) or document.get("version") != VERSION:
        got = document.get("version") if isinstance(document, dict) else type(document).__name__
        return {}, [f"{where}: expected an MLX registry of version {VERSION}, got {got!r}"]
    models = document.get("models")
    if not isinstance(models, dict):
        return {}, [f"{where}: models: expected a mapping, got {type(models).__name__}"]
    return _entries(models, where)


def _entries(models: dict[str, Any], where: str) -> tuple[dict[str, Entry], list[str]]:
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    for model_id, fields in models.items():
        try:
            entry = Entry.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in ("models", model_id, *first["loc"]))
            problems.append(f"{where}: {place}: {first['msg']}")
            continue
        if not entry.path:
            problems.append(f"{where}: models.{model_id}: neither cache_path nor source_path is set")
        entries[model_id] = entry
    return entries, problems


def inside(path: str, roots: Iterable[str]) -> bool:
    """
    Whether `path` is one of `roots` or below one.

    Symbolic links are followed where the path exists on this machine; a path of another machine is
    judged by its text, `.` and `..` resolved.
    """
    found = _plain(path)
    return any(found.is_relative_to(_plain(root)) for root in roots)


def _plain(path: str) -> PurePosixPath:
    here = Path(path)
    if here.exists():
        return PurePosixPath(here.resolve())
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != "..":
            parts.append(part)
    return PurePosixPath(*parts)
