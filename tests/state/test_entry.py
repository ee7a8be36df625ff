"""Entries change by answering new entries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.state import Entry

counters = st.dictionaries(st.sampled_from(["used", "limit", "other"]), st.integers(-5, 50))
marks = st.dictionaries(st.sampled_from(["problem", "ended"]), st.text())


@given(counters, marks, st.sets(st.sampled_from(["problem", "ended"])))
def test_take_counts_one_or_nothing(
    counters: dict[str, int], marks: dict[str, str], unless: set[str]
) -> None:
    """What is granted is exactly one more, never beyond the limit or against a mark; else nothing changes."""
    entry = Entry(counters, marks)
    taken = entry.take("used", "limit", unless)
    if taken.granted:
        assert taken.entry.count("used") == entry.count("used") + 1
        assert taken.entry.count("used") <= entry.count("limit")
        assert not unless & marks.keys()
    else:
        assert taken.entry == entry
        assert entry.count("used") >= entry.count("limit") or unless & marks.keys()


@given(counters, marks, counters, st.text())
def test_a_change_leaves_the_entry_alone(
    counters: dict[str, int], marks: dict[str, str], amounts: dict[str, int], text: str
) -> None:
    """Adding and marking answer a new entry; the one they were asked of stays as it was."""
    entry = Entry(dict(counters), dict(marks))
    changed = entry.add(amounts).mark("problem", text)
    assert entry == Entry(counters, marks)
    assert all(changed.count(name) == entry.count(name) + amount for name, amount in amounts.items())
    assert changed.marks["problem"] == marks.get("problem", text)
