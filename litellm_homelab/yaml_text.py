"""YAML as its writer meant it: a key that stands twice is a mistake, not the last one's victory."""

from __future__ import annotations

from typing import Any

import yaml

MERGE = "tag:yaml.org,2002:merge"
"""The tag of YAML's `<<`, which may stand beside keys that it brings along."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """A YAML loader that refuses a key written twice, where PyYAML silently keeps the last."""


def _mapping_without_duplicates(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    written = [key for key, _ in node.value if key.tag != MERGE]
    keys = [loader.construct_object(key, deep=True) for key in written]
    for number, key in enumerate(keys):
        if key in keys[:number]:
            raise yaml.constructor.ConstructorError(
                None,
                None,
                f"the key {key!r} stands in this mapping twice; keep one",
                written[number].start_mark,
            )
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:map", _mapping_without_duplicates)


class NotReadable(ValueError):
    """The file is not what LiteLLM could load; the text says what is wrong and where."""


def load(text: str) -> object:
    """
    Read one YAML document.

    Raises:
        NotReadable: not YAML, more than one document, or a key twice in one mapping.

    """
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader underneath
    except (yaml.YAMLError, ValueError) as error:
        raise NotReadable(_problem(error)) from error


def _problem(error: Exception) -> str:
    """The parser's complaint on one line, its place first."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        return f"line {mark.line + 1}, column {mark.column + 1}: not readable as YAML: {what}"
    return f"not readable as YAML: {' '.join(str(error).split())}"
