"""What the package's source says in text: refusals, their wordings, metrics, headers."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from litellm_homelab.decision import STATUS, RefusalType
from tests.docs.declared import PACKAGE


def refusals() -> list[tuple[str, int]]:
    """Every refusal's type and status."""
    return [(kind.value, STATUS[kind]) for kind in RefusalType]


@dataclass(frozen=True, slots=True)
class Wording:
    """The message of one `Refuse(...)` in the source: its fixed parts, and how it reads there."""

    place: str
    parts: tuple[str, ...]
    shown: str


@functools.cache
def wordings() -> list[Wording]:
    """Messages that a `Refuse(...)` of the package writes out, wherever it stands."""
    return [
        _wording(f"{path.relative_to(PACKAGE)}:{node.lineno}", node.args[1])
        for path, tree in _sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Refuse"
        and len(node.args) > 1
        and isinstance(node.args[1], ast.JoinedStr | ast.Constant)
    ]


def _wording(place: str, message: ast.expr) -> Wording:
    pieces = message.values if isinstance(message, ast.JoinedStr) else [message]
    fixed = [str(piece.value) if isinstance(piece, ast.Constant) else None for piece in pieces]
    return Wording(place, tuple(part for part in fixed if part), "".join(part or "<...>" for part in fixed))


def _sources(below: Path = PACKAGE) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(below.rglob("*.py")):
        if not {"demo", "cli"} & set(path.relative_to(PACKAGE).parts):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def _constants(*trees: ast.Module) -> Iterator[str]:
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")


@functools.cache
def metrics() -> list[str]:
    """Names of metrics that `litellm_homelab.metrics.series`, module or package, declares."""
    paths = [path for path, _ in _sources() if "metrics" in (path.stem, path.parent.name)]
    return sorted({name for path in paths for name in metric_names(path.read_text(encoding="utf-8"))})


def metric_names(source: str) -> set[str]:
    """Every text of a Python source that is a metric's name."""
    return {text for text in _constants(ast.parse(source)) if re.fullmatch(r"homelab_[a-z0-9_]+", text)}


@functools.cache
def headers() -> list[str]:
    """Names (or beginnings) of HTTP headers that the package writes, removes or reads."""
    return sorted(
        {
            text
            for text in _constants(*(tree for _, tree in _sources()))
            if re.fullmatch(r"x-[a-z0-9-]+", text)
        }
    )
