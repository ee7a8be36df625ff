"""LiteLLM keeps its state in modules; this puts it back after a test."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

PLAIN = (bool, int, float, str, bytes, tuple, frozenset, type(None))


@contextmanager
def restored(*modules: ModuleType) -> Iterator[None]:
    """Put back every plain value, list, dict and set that the block rebinds or changes in `modules`."""
    before = [(module, _state(module)) for module in modules]
    try:
        yield
    finally:
        for module, state in before:
            _restore(module, state)


def _state(module: ModuleType) -> dict[str, tuple[Any, Any]]:
    return {
        name: (value, copy.copy(value) if isinstance(value, list | dict | set) else value)
        for name, value in vars(module).items()
        if not name.startswith("__") and isinstance(value, (*PLAIN, list, dict, set))
    }


def _restore(module: ModuleType, state: dict[str, tuple[Any, Any]]) -> None:
    for name, (original, content) in state.items():
        if isinstance(original, list):
            original[:] = content
        elif isinstance(original, dict | set):
            original.clear()
            original.update(content)
        setattr(module, name, original)
