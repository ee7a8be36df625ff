"""Which failures count towards a cooldown, and which end a request."""

from __future__ import annotations

import pytest

from litellm_homelab.attempts.failures import OPERATORS, TRANSIENT, Failure, is_final, rests

STATUSES = range(300, 600)


@pytest.mark.parametrize("answered", STATUSES)
def test_an_answer_of_the_upstream_counts_where_it_is_the_servers_fault(answered: int) -> None:
    """5xx, 408 and 429, whatever status LiteLLM made of it; it is never an error of LiteLLM's own."""
    for status in (None, 400, 404, 429, 500):
        failure = Failure(sent=True, answered=answered, status=status)
        assert rests(failure) is (answered >= 500 or answered in TRANSIENT)
        assert not is_final(failure)


@pytest.mark.parametrize("status", [None, 400, 404, 408, 500])
@pytest.mark.parametrize("sent", [True, False])
def test_an_upstream_that_cannot_be_reached_counts(sent: bool, status: int | None) -> None:
    """Timeouts and connection errors; the next group is asked."""
    failure = Failure(sent=sent, unreachable=True, status=status)
    assert rests(failure)
    assert not is_final(failure)


@pytest.mark.parametrize("status", [None, *STATUSES])
def test_what_is_not_sent_never_counts(status: int | None) -> None:
    """It ends the request, unless only the operator can mend it."""
    failure = Failure(sent=False, status=status)
    assert not rests(failure)
    assert is_final(failure) is (status not in OPERATORS)


@pytest.mark.parametrize(
    ("status", "counts"), [(None, True), (500, True), (429, True), (400, False), (404, False)]
)
def test_an_answer_that_cannot_be_read_counts_as_litellm_says(status: int | None, counts: bool) -> None:
    """HTML in the place of JSON is a 500 of LiteLLM's."""
    assert rests(Failure(sent=True, status=status)) is counts
