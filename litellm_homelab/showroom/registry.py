"""The MLX registry (registry.json, version 2): which model's files lie where."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from litellm_homelab.config import text_file
from litellm_homelab.config.wording import described, reason, shown

VERSION = 2


class RegistryEntry(BaseModel):
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

    @property
    def api_base(self) -> str:
        """The server that has the model, where the entry says so."""
        found = (self.model_extra or {}).get("api_base")
        return found if isinstance(found, str) else ""


def read(folder: Path, name: str | None) -> tuple[dict[str, RegistryEntry], list[str]]:
    """Entries of a registry.json by model id, and its problems."""
    if name is None:
        return {}, []
    where = f"homelab.showroom.registry: {name}"
    try:
        text = text_file.read(folder / name)
    except (OSError, ValueError) as error:
        return {}, [f"{where}: {reason(error)}"]
    return parse(text, where)


def parse(text: str, where: str, *, with_paths: bool = True) -> tuple[dict[str, RegistryEntry], list[str]]:
    """
    Entries of a file's text, as `read` gives them; `where` is how the file's problems begin.

    `with_paths` says whether each must have its files' place.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {}, [f"{where}: {reason(error)}"]
    if not isinstance(document, dict):
        return {}, [f"{where}: expected a mapping, got {shown(document)}"]
    if document.get("version") != VERSION:
        got = shown(document.get("version"))
        return {}, [f"{where}: version: expected {VERSION} (an MLX registry), got {got}"]
    if not isinstance(document.get("models"), dict):
        return {}, [f"{where}: models: expected a mapping, got {shown(document.get('models'))}"]
    return _entries(document["models"], where, with_paths=with_paths)


def _entries(
    models: dict[str, Any], where: str, *, with_paths: bool
) -> tuple[dict[str, RegistryEntry], list[str]]:
    entries: dict[str, RegistryEntry] = {}
    problems: list[str] = []
    for model_id, fields in models.items():
        try:
            entry = RegistryEntry.model_validate(fields)
        except ValidationError as error:
            for one in error.errors():
                place = ".".join(str(part) for part in ("models", model_id, *one["loc"]))
                problems.append(f"{where}: {place}: {described(one)}")
            continue
        if entry.path or not with_paths:
            entries[model_id] = entry
        else:
            problems.append(f"{where}: models.{model_id}: neither cache_path nor source_path is set")
    return entries, problems


def inside(path: str, roots: Iterable[str], folder: Path) -> bool:
    """
    Whether `path` is one of `roots` or below one; relative ones are relative to `folder`.

    Symbolic links are followed as far as the path exists on this machine; the rest (all of it, for a path
    of another machine) is judged by its text, `.` and `..` resolved.
    """
    found = resolved(path, folder)
    return any(found.is_relative_to(resolved(root, folder)) for root in roots)


def resolved(path: str, folder: Path) -> Path:
    """
    Like `Path.resolve`, which before Python 3.13 raises for a link that leads to itself.

    A path that no system can have (with a NUL or a lone surrogate) leads nowhere: it is taken as written.
    """
    try:
        return Path(os.path.realpath(folder / path))
    except ValueError:
        return Path(os.path.normpath(folder / path))
