"""How stores keep named tuples as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import orjson

T = TypeVar("T")


def written(parts: Mapping[str, Any]) -> str:
    """Parts as JSON, a named tuple as the list of its fields."""
    return orjson.dumps(parts, default=_plain).decode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A named tuple as a list, and a mapping that is not a dictionary as one: orjson knows neither."""
    return tuple(value) if isinstance(value, tuple) else dict(value)


class Texts(Generic[T]):
    """Reads and writes values that do not change; one whose text is the same as last time is not parsed."""

    def __init__(self, read: Callable[[str | None], T], write: Callable[[T], str]) -> None:
        self._read, self._write = read, write
        self._known: dict[str, tuple[str, T]] = {}

    def read(self, name: str, text: str | None) -> T:
        """
        The value of a name that has this text.

        Raises:
            ValueError: it is something else.

        """
        known = self._known.get(name)
        if known is not None and known[0] == text:
            return known[1]
        found = self._read(text)
        if text is not None:
            self._known[name] = text, found
        return found

    def written(self, name: str, value: T) -> str:
        """The text of a value, which will most likely be read again."""
        text = self._write(value)
        self._known[name] = text, value
        return text
