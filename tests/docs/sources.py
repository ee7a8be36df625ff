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
    """A text of refusals.py: its fixed parts, and how it reads there."""

    place: str
    parts: tuple[str, ...]
    shown: str


@functools.cache
def wordings() -> list[Wording]:
    """Every text of words that refusals.py writes into a refusal."""
    tree = ast.parse((PACKAGE / "refusals.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    found = [
        _wording(f"refusals.py:{text.lineno}: {function.name}", text)
        for function in functions
        for text in _texts(function)
    ]
    return [wording for wording in found if any(" " in part.strip() for part in wording.parts)]


def _texts(function: ast.FunctionDef) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The texts of a function's body, without its docstring; an f-string is one text."""
    waiting: list[ast.AST] = function.body[1:]  # type: ignore[assignment]  # a list is invariant
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            yield node
        else:
            waiting += ast.iter_child_nodes(node)


def _wording(place: str, message: ast.Constant | ast.JoinedStr) -> Wording:
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
