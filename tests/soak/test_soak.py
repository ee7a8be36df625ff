"""A short soak; `make soak` is the long one, which judges memory and rows as well."""

from __future__ import annotations

import pytest

from tests.soak.load import KINDS
from tests.soak.run import DESCRIPTORS, SERIES, Result, soak

SHORT, WARM_UP = 26.0, 16.0
"""Seconds; quotas show themselves after 15 (`adapter/policies/quotas.py`)."""
SPARE = 8
"""Connections that a pool may open later."""
ANSWERS = {"refused": 404}
"""Kinds that are not served."""


def check(result: Result) -> None:
    """Each request had its answer, and every count is the truth."""
    assert result.untrue == ()
    assert {*result.ours.load.seen} == {(kind, ANSWERS.get(kind, 200)) for kind in KINDS}


@pytest.mark.real
def test_counts_are_true_and_nothing_is_left_open() -> None:
    """Plain, streamed, refused, OptiLLM's, and clients that leave early, mixed."""
    result = soak(SHORT, WARM_UP)
    check(result)
    first, *_, last = (one.values for one in result.ours.samples if one.seconds >= WARM_UP)
    assert last[DESCRIPTORS] <= first[DESCRIPTORS] + SPARE
    assert last[SERIES] == first[SERIES]
