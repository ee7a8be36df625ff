"""Surfaces as text, what is left of one, and the start's line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.cli.logtail import notices
from litellm_homelab.reviewed.surface import Surface, parse, sentence, written

NAMES = st.frozensets(st.from_regex(r"[A-Za-z*][A-Za-z0-9 /{}:_-]{0,20}[a-z0-9]", fullmatch=True), max_size=5)
SURFACES = st.builds(Surface, NAMES, NAMES, NAMES, NAMES, NAMES)


@given(SURFACES)
def test_what_is_written_is_read_again(surface: Surface) -> None:
    """A surface survives its file."""
    assert parse(f"# a comment\n{written(surface)}") == surface


@given(SURFACES, SURFACES)
def test_what_is_reviewed_is_left_out(surface: Surface, reviewed: Surface) -> None:
    """Nothing reviewed is counted, everything else is."""
    left = surface.without(reviewed)
    assert not left.without(surface)
    assert left | reviewed == surface | reviewed


def test_a_reviewed_litellm_needs_no_line() -> None:
    """The start says nothing where there is nothing to say."""
    assert sentence("1.110.2", Surface()) is None


@pytest.mark.parametrize(
    ("surface", "counts"),
    [
        pytest.param(
            Surface(routes=frozenset({"POST /a", "POST /b"}), headers=frozenset({"x-new"})),
            "2 routes, 0 parameters, 0 call types, 0 hooks, 1 header",
            id="routes-and-a-header",
        ),
        pytest.param(
            Surface(
                parameters=frozenset({"a"}),
                call_types=frozenset({"anew"}),
                hooks=frozenset({"async_new_hook"}),
            ),
            "0 routes, 1 parameter, 1 call type, 1 hook, 0 headers",
            id="one-of-each",
        ),
    ],
)
def test_the_line_counts_each_kind_and_says_what_to_do(surface: Surface, counts: str) -> None:
    """One sentence with the numbers, one with the way out."""
    line = sentence("1.110.9", surface)
    assert line is not None
    assert line.startswith(
        f"LiteLLM 1.110.9 brings {counts} that litellm-homelab has not reviewed; they are closed"
    )
    assert "Install a newer litellm-homelab" in line


@pytest.mark.parametrize(
    "log",
    [
        pytest.param("12:00:00 - LiteLLM Proxy:WARNING: unreviewed.py:70 - homelab: {line}\n", id="plain"),
        pytest.param('{{"message": "homelab: {line}", "level": "WARNING"}}\n', id="json"),
    ],
)
def test_up_finds_the_line_in_the_log_once(log: str) -> None:
    """Four workers log it four times; a person reads it once."""
    line = sentence("1.110.9", Surface(routes=frozenset({"POST /a"})))
    assert line is not None
    assert notices(log.format(line=line) * 4 + "something else\n") == [line]
    assert notices("LiteLLM: started\n") == []
