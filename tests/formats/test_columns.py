"""Aligned columns for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.formats.columns import aligned, cut, width


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        pytest.param("main", 4, id="ASCII"),
        pytest.param("模型", 4, id="wide"),
        pytest.param("e\u0301", 1, id="accent"),
        pytest.param("", 0, id="empty"),
    ],
)
def test_width(text: str, cells: int) -> None:
    """As a terminal draws it."""
    assert width(text) == cells


def test_columns_are_aligned() -> None:
    """Names to the left, numbers to the right, nothing behind the last cell."""
    rows = [("A", "N", "LAST"), ("long", "10", ""), ("模", "5", "x")]
    assert [*aligned(rows, right=frozenset({1}), indent="  ")] == [
        "  A      N  LAST",
        "  long  10",
        "  模     5  x",
    ]


@pytest.mark.parametrize(
    "hostile", ["a\x1b[31mb", "a\nb", "a\rb", "a\u202eb", "a\x9bb", "a\u2028b", "a\ud800b"]
)
def test_what_a_terminal_would_obey_is_escaped(hostile: str) -> None:
    """Colours, line breaks, the other direction: a name shows what is in it."""
    (line,) = aligned([(hostile, "x")])
    assert line.isprintable()
    assert line.startswith("a\\")


def test_painted_cells_keep_their_width() -> None:
    """A colour is around the padded cell."""
    lines = [*aligned([("up", "x"), ("absent", "x")], paint=lambda _, cell, padded: f"<{cell}>{padded}")]
    assert lines == ["<up>up      <x>x", "<absent>absent  <x>x"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("main", "main"), ("mainly", "mai…"), ("模型x", "模…"), ("", "")],
    ids=["fits", "too long", "wide", "empty"],
)
def test_cut(text: str, shown: str) -> None:
    """At most four cells, the last of them a sign that more was there."""
    assert cut(text, 4) == shown


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_any_names_are_one_line_each(rows: list[tuple[str, str]]) -> None:
    """As many lines as rows, each printable, the second column where it is in all of them."""
    lines = [*aligned([(one, f"{other}|") for one, other in rows])]
    assert len(lines) == len(rows)
    assert all(line.isprintable() for line in lines)
