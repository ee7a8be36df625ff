"""`include:` of router.yaml: its files read and merged as LiteLLM reads and merges them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from litellm_homelab.config import text_file, yaml_text
from litellm_homelab.config.wording import quoted, reason, shown
from litellm_homelab.config.yaml_text import NotReadable

INCLUDE: Final = "include"
MOST: Final = 100
"""Files that are read."""


@dataclass(frozen=True, slots=True)
class IncludedFile:
    """A file that is included."""

    text: str
    content: Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class MergedFile:
    """A router.yaml with what it includes."""

    content: object
    problems: Sequence[str] = ()
    """What is wrong with included files."""
    files: Mapping[str, IncludedFile] = field(default_factory=dict)
    """By their place, in LiteLLM's order."""


def merged(document: object, path: Path) -> MergedFile:
    """
    The document of the file at `path` with what it includes.

    Lists are extended, every other value is replaced; an included file may include others, next to itself
    or else next to the first; each is read once (`resolve_includes`, LiteLLM 1.106.2).
    """
    if not isinstance(document, dict) or INCLUDE not in document:
        return MergedFile(document)
    included, problems = _read_all(document, path)
    merged_so_far = _without(document)
    for one in included.values():
        merged_so_far = _both(merged_so_far, _without(one.content))
    return MergedFile(merged_so_far, problems, included)


def _read_all(document: Mapping[Any, Any], path: Path) -> tuple[dict[str, IncludedFile], list[str]]:
    root = os.path.abspath(path)  # noqa: PTH100 - as LiteLLM does it: links are not followed
    pending, problems = _entries(document, root)
    seen = {root}
    found: dict[str, IncludedFile] = {}
    while pending and len(seen) <= MOST:
        entry, declared_in = pending.pop(0)
        place = _place(entry, declared_in, root)
        if place in seen:
            continue
        seen.add(place)
        try:
            found[place] = _read(place)
        except (OSError, ValueError) as error:
            problems.append(f"include: {quoted(entry)}: {_why(error)}")
            continue
        more, wrong = _entries(found[place].content, place)
        pending += more
        problems += wrong
    return found, problems


def _why(error: OSError | ValueError) -> str:
    return str(error) if isinstance(error, NotReadable) else reason(error)


def _entries(document: Mapping[Any, Any], where: str) -> tuple[list[tuple[str, str]], list[str]]:
    listed = document.get(INCLUDE, [])
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return [], [f"include: expected a list of file names, got {shown(listed)}"]
    return [(one, where) for one in listed], []


def _place(entry: str, declared_in: str, root: str) -> str:
    folders = (Path(one).parent for one in (declared_in, root))
    near, first = (os.path.abspath(folder / entry) for folder in folders)  # noqa: PTH100 - as above
    # os.path.exists is False for a name that no file can have; Path.exists raises for one that is too long.
    return near if os.path.exists(near) or not os.path.exists(first) else first  # noqa: PTH110


def _read(place: str) -> IncludedFile:
    text = text_file.read(Path(place))
    document = yaml_text.load(text)
    if not isinstance(document, dict):
        raise NotReadable(f"expected a mapping at the top, got {shown(document)}")
    return IncludedFile(text, document)


def _without(document: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in document.items() if key != INCLUDE}


def _both(base: Mapping[Any, Any], included: Mapping[Any, Any]) -> dict[Any, Any]:
    return {**base, **{key: _value(base.get(key), value) for key, value in included.items()}}


def _value(base: object, included: object) -> object:
    return [*base, *included] if isinstance(base, list) and isinstance(included, list) else included
