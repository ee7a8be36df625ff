"""What `sync` reads: a registry of models, and an `ensembles.jsonl` of OptiLLM's handles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from litellm_homelab.backends.rule import place
from litellm_homelab.config import text_file
from litellm_homelab.config.wording import quoted, reason, shown
from litellm_homelab.optillm import catalogue
from litellm_homelab.showroom import registry
from litellm_homelab.showroom.handles import naming_problem
from litellm_homelab.showroom.registry import RegistryEntry

ENSEMBLES: Final = "ensembles.jsonl"
EXAMPLE: Final = '`{"handle": "think", "approach": "moa", "base": "main"}`'


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A line of `ensembles.jsonl`: a handle that is OptiLLM with an approach over a base model."""

    handle: str
    approach: str
    base: str
    """The name by which OptiLLM calls this gateway back."""


def read_registry(path: Path) -> dict[str, RegistryEntry]:
    """
    Entries of a registry.json by model id; here they need no folder of files.

    Raises:
        OSError, ValueError: it cannot be read; the text has every problem, a line for each.

    """
    entries, problems = registry.parse(text_file.read(path), "", with_paths=False)
    found = [one.removeprefix(": ") for one in problems]
    found += [problem for name, entry in entries.items() for problem in _address(name, entry)]
    if found:
        raise ValueError("\n".join(found))
    return entries


def _address(name: str, entry: RegistryEntry) -> Iterator[str]:
    """The server of an entry, where it has one, must be an address: it becomes a deployment's."""
    value = (entry.model_extra or {}).get("api_base")
    if value is not None and (not isinstance(value, str) or place(value) is None):
        yield (
            f"models.{name}.api_base: expected an address, got {shown(value)}; write one such as "
            "http://127.0.0.1:8000/v1, or remove it"
        )


def read_ensembles(path: Path) -> dict[str, Ensemble]:
    """
    Lines of an `ensembles.jsonl` by handle; empty lines and further fields are left alone.

    Raises:
        OSError, ValueError: as `read_registry`.

    """
    found: dict[str, Ensemble] = {}
    problems = []
    for number, line in enumerate(text_file.read(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            one = _ensemble(line)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        if one.handle in found:
            problems.append(
                f"line {number}: duplicate handle {quoted(one.handle)}; remove one of the two lines"
            )
        found[one.handle] = one
    if problems:
        raise ValueError("\n".join(problems))
    return found


def _ensemble(line: str) -> Ensemble:
    try:
        fields: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(reason(error)) from error
    if not isinstance(fields, dict):
        raise ValueError(f"expected a JSON object, got {shown(fields)}; write {EXAMPLE}")
    for name in ("handle", "approach", "base"):
        value = fields.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name}: expected a string, got {shown(value)}; write {EXAMPLE}")
    one = Ensemble(fields["handle"], fields["approach"], fields["base"])
    problem = naming_problem(one.handle) or naming_problem(one.base) or catalogue.unknown(one.approach)
    if not problem and one.handle == one.base:
        problem = f"{quoted(one.handle)} is its own base, which would be a loop; write a model's name as base"
    if problem:
        raise ValueError(problem)
    return one
