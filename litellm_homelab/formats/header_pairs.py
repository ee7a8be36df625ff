"""
Headers as lists of pairs, searched in C.

A request passes its twenty headers ten times: a loop for each pass was a tenth of all that this package adds
to a plain request (`python -m bench trace`, LiteLLM 1.108.7).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import compress
from operator import itemgetter
from typing import Any, Final, TypeVar

Text = TypeVar("Text", str, bytes)
NAME: Final[Callable[[Any], Any]] = itemgetter(0)
"""The name of a pair as it is written."""
VALUE: Final[Callable[[Any], Any]] = itemgetter(1)
"""Its value."""


def names(pairs: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """The names in lower case, in their order; a name that is there twice is listed twice."""
    return [*map(bytes.lower, map(NAME, pairs))]


def values(pairs: Collection[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    """The values of one header, however its name is written; `name` is in lower case."""
    found = names(pairs)
    if name not in found:
        return []
    return [bytes(value) for _, value in compress(pairs, map(name.__eq__, found))]


def first(pairs: Collection[tuple[bytes, bytes]], name: bytes) -> bytes:
    """The first value of one header, empty where there is none; `name` is in lower case."""
    return next(compress(map(VALUE, pairs), map(name.__eq__, names(pairs))), b"")


def those(pairs: Collection[tuple[Text, Text]], passes: Callable[[Text], object]) -> list[tuple[Text, Text]]:
    """The pairs whose name passes, in their order; `passes` gets the name as it is written."""
    return list(compress(pairs, map(passes, map(NAME, pairs))))
