"""What the ledger's facts mean for the next child."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.optillm import fanout
from litellm_homelab.optillm.fanout import (
    Admission,
    Admitted,
    Ended,
    Looped,
    RootFailure,
    RootRecord,
    Spent,
    Summary,
    Unknown,
    Usage,
)
from litellm_homelab.state import Entry, Taken

ROOT = RootRecord("r", "boost", "moa&re2", 3, 1_800_000_000.25, 1_800_000_600.25)
LOOPED = fanout.written(RootFailure("looped", "boost -> OptiLLM -> boost"))
GONE = fanout.written(RootFailure("gone"))
SPENT = fanout.written(RootFailure("spent", "3"))


@pytest.mark.parametrize(
    ("marks", "admission"),
    [
        pytest.param({}, Spent(3), id="at-the-limit"),
        pytest.param({"problem": SPENT}, Spent(3), id="spent-before"),
        pytest.param({"problem": LOOPED}, Looped("boost -> OptiLLM -> boost"), id="looped"),
        pytest.param({"problem": GONE}, Ended(), id="client-gone"),
        pytest.param({"ended": ""}, Ended(), id="ended"),
        pytest.param({"problem": LOOPED, "ended": ""}, Ended(), id="ended-after-looping"),
    ],
)
def test_a_refused_child_is_told_why(marks: dict[str, str], admission: Admission) -> None:
    """What the store did not grant becomes the refusal that fits the root's marks."""
    entry = fanout.opened(ROOT)
    refused = Taken(Entry(entry.counters, {**entry.marks, **marks}), granted=False)
    assert fanout.admission_of(refused) == admission


def test_a_granted_child_gets_its_number_and_root() -> None:
    """What the store granted is admitted with its number, and with the root as it was opened."""
    assert fanout.admission_of(fanout.opened(ROOT).take("children", "max_calls", ())) == Admitted(1, ROOT)


def test_a_child_of_no_root_is_unknown() -> None:
    """Without an entry there is no root to admit a child to."""
    assert fanout.admission_of(None) == Unknown()


@given(
    st.builds(
        RootRecord,
        st.text(),
        st.text(),
        st.text(),
        st.integers(0, 10_000),
        st.floats(0, 2**33),
        st.floats(0, 2**33),
    )
)
def test_a_root_is_read_as_it_was_opened(root: RootRecord) -> None:
    """Nothing of a root is lost in its entry, and a fresh one has no children, usage or problem."""
    assert fanout.summary_of(fanout.opened(root)) == Summary(root, 0, 0, Usage(), None, ended=False)


@given(
    st.builds(
        Usage,
        st.integers(),
        st.integers(),
        st.floats(),
    )
)
def test_a_backends_word_cannot_break_the_sum(usage: Usage) -> None:
    """Whatever a backend reports, each amount is a whole number from 0 to the most that may be added."""
    amounts = fanout.amounts(usage)
    assert amounts["finished"] == 1
    assert all(isinstance(amount, int) and 0 <= amount <= fanout.MAX_AMOUNT for amount in amounts.values())
    if 0 <= usage.prompt_tokens <= fanout.MAX_AMOUNT:
        assert amounts["prompt_tokens"] == usage.prompt_tokens


@given(st.sampled_from(["looped", "spent", "gone"]), st.text())
def test_a_problem_is_read_as_it_was_written(kind: fanout.ProblemKind, text: str) -> None:
    """A problem's text comes back whole, colons and all."""
    entry = fanout.opened(ROOT).mark("problem", fanout.written(RootFailure(kind, text)))
    assert fanout.summary_of(entry).problem == RootFailure(kind, text)
