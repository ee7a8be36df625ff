"""What a store keeps: named counters and marks, and the only three ways to change them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """
    Counters (whole numbers by name) and marks (texts by name) that change together and expire together.

    Immutable: every change returns a new entry. Memory and SQLite run these methods, Redis the same in Lua.
    """

    counters: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)

    def count(self, counter: str) -> int:
        """Return the value of a counter; one that was never counted is 0."""
        return self.counters.get(counter, 0)

    def take(self, counter: str, limit: str, unless: Collection[str]) -> Taken:
        """Count one more, if that stays within the counter named `limit` and no mark of `unless` is set."""
        if self.count(counter) >= self.count(limit) or any(name in self.marks for name in unless):
            return Taken(self, granted=False)
        return Taken(self.add({counter: 1}), granted=True)

    def add(self, amounts: Mapping[str, int]) -> Entry:
        """Add to several counters in one step."""
        added = {counter: self.count(counter) + amount for counter, amount in amounts.items()}
        return Entry({**self.counters, **added}, self.marks)

    def mark(self, name: str, text: str) -> Entry:
        """Set a mark, unless it is set: the first text stays."""
        return Entry(self.counters, {name: text, **self.marks})


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether one more was counted, and the entry as it is now, whichever it was."""

    entry: Entry
    granted: bool


def read(counters: str, marks: str) -> Entry:
    """
    The entry whose counters and marks SQLite keeps as JSON.

    Raises:
        ValueError: they are something else.

    """
    try:
        return Entry(
            {name: int(value) for name, value in json.loads(counters).items()},
            {name: str(text) for name, text in json.loads(marks).items()},
        )
    except (TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError("not an entry") from error
