"""Named tuples as text, and texts that are not parsed twice."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from litellm_homelab.state.pool import Lease
from litellm_homelab.state.texts import Texts, written


def test_a_named_tuple_is_the_list_of_its_fields() -> None:
    """At any depth; a read-only mapping is an object."""
    parts = {"held": MappingProxyType({"a": Lease(5, 2)}), "none": MappingProxyType({}), "ticket": 1}
    assert written(parts) == '{"held":{"a":[5,2]},"none":{},"ticket":1}'


class Counting:
    """Reads numbers, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def read(self, text: str | None) -> int:
        """Read a number."""
        self.asked.append(text)
        return int(text or 0)


def test_a_text_is_parsed_once() -> None:
    """Until it changes, and for each name; what this store wrote is known already."""
    counting = Counting()
    texts = Texts(counting.read, str)
    assert [texts.read("a", one) for one in ("1", "1", "2", "1")] == [1, 1, 2, 1]
    assert counting.asked == ["1", "2", "1"]
    assert texts.read("b", "1") == 1
    assert texts.written("b", 7) == "7"
    assert texts.read("b", "7") == 7
    assert counting.asked == ["1", "2", "1", "1"]


def test_what_is_not_there_is_read_each_time() -> None:
    """An emptied store is not taken for what it was before."""
    texts = Texts(Counting().read, str)
    assert texts.read("a", texts.written("a", 3)) == 3
    assert texts.read("a", None) == 0


def test_a_text_that_cannot_be_read_is_not_kept() -> None:
    """It is an error each time."""
    texts = Texts(Counting().read, str)
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            texts.read("a", "x")
