"""Where each setting of a router.yaml is: file, line and column, its included files among them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from litellm_homelab.config.includes import IncludedFile
from litellm_homelab.config.yaml_text import MERGE

Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C where PyYAML has it: ten times as fast."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column begin at 1."""

    file: str
    line: int = 1
    column: int = 1
    order: int = 0
    """Which of the files, the first being router.yaml itself."""


@dataclass(frozen=True, slots=True)
class Positions:
    """The marks of settings by their names, written as messages write them: `model_list[0].model_name`."""

    marks: Mapping[str, Mark]
    start: Mark

    def of(self, where: str) -> Mark:
        """The mark of a setting, or of the closest one around it that is in the file."""
        while where:
            found = self.marks.get(where)
            if found is not None:
                return found
            where = where[: max(where.rfind("."), where.rfind("["), 0)]
        return self.start


def read(
    text: str, path: str, document: object, included: Mapping[str, IncludedFile] | None = None
) -> Positions:
    """
    The positions of a file and of the files that it includes, `included`.

    `document` is what the text contains; `yaml_text.load` has read it, so its aliases have an end.
    """
    start = Mark(path)
    found = dict(_marks(_composed(text), "", start))
    if isinstance(document, dict):
        found |= _included(document, included or {})
    return Positions(found, start)


def _composed(text: str) -> yaml.Node | None:
    """The document's nodes; what the parser in C does not take, the one in Python may."""
    try:
        return yaml.compose(text, Loader=Loader)
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _included(
    document: Mapping[Any, Any], included: Mapping[str, IncludedFile]
) -> Iterator[tuple[str, Mark]]:
    """The marks of included files: their lists are appended to those before them."""
    lengths = {key: len(value) for key, value in document.items() if isinstance(value, list)}
    for order, (place, one) in enumerate(included.items(), start=1):
        file = Mark(_shown(place), order=order)
        node = _composed(one.text)
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            first = lengths.get(key.value, 0) if isinstance(value, yaml.SequenceNode) else 0
            yield key.value, _at(key, file)
            yield from _marks(value, key.value, file, first)
        for key, value in one.content.items():
            if isinstance(value, list):
                lengths[key] = lengths.get(key, 0) + len(value)


def _shown(place: str) -> str:
    near = os.path.relpath(place)
    return place if near.startswith("..") else near


def _marks(node: yaml.Node | None, where: str, file: Mark, first: int = 0) -> Iterator[tuple[str, Mark]]:
    """Every setting below a node; `first` is the index of a list's first item."""
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value, start=first):
            yield f"{where}[{number}]", _at(item, file)
            yield from _marks(item, f"{where}[{number}]", file)
    elif isinstance(node, yaml.MappingNode):
        # What `<<` brings comes first: a key of the mapping's own takes its place.
        for key, value in sorted(node.value, key=lambda pair: pair[0].tag != MERGE):
            if key.tag == MERGE:
                for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    yield from _marks(merged, where, file)
                continue
            name = f"{where}.{key.value}" if where else str(key.value)
            yield name, _at(key, file)
            yield from _marks(value, name, file)


def _at(node: yaml.Node, file: Mark) -> Mark:
    mark: Any = node.start_mark
    return Mark(file.file, mark.line + 1, mark.column + 1, file.order)
