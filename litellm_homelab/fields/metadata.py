"""The keys of `metadata`: an object, JSON text in a form, or one key in a form's brackets."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, Final

FIELDS: Final = ("metadata", "litellm_metadata")
"""Fields in which a client may put metadata."""


def as_mapping(value: object) -> Mapping[str, Any] | None:
    """An object, or the object that a JSON text contains; None for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # not metadata to LiteLLM either
            return None
    return value if isinstance(value, Mapping) else None


def as_text(value: Mapping[str, Any]) -> str:
    """Write an object as JSON text."""
    return json.dumps(value)


def bracketed(name: str) -> str | None:
    """The first key in a form's brackets: `tags` of `metadata[tags][0]`; None without brackets."""
    return name.split("[", 1)[1].split("]", 1)[0] if "[" in name else None


def keys_of(name: str, value: object) -> tuple[str, ...]:
    """The keys of a metadata field as it was sent."""
    key = bracketed(name)
    if key is not None:
        return (key,)
    found = as_mapping(value)
    return tuple(map(str, found)) if found is not None else ()


def shown(name: str, key: str) -> str:
    """How a refusal names a key."""
    return f"{name.split('[', 1)[0]}.{key}"


def without(name: str, value: object, gone: Collection[str]) -> Mapping[str, Any]:
    """The field without some keys: {name: value}, or {} where nothing is left of it."""
    if not gone:
        return {name: value}
    if bracketed(name) is not None:
        return {}
    left = {key: item for key, item in (as_mapping(value) or {}).items() if key not in gone}
    return {name: left if isinstance(value, Mapping) else as_text(left)}
