"""Which of a root's failed calls its client is told of, and in what words."""

from __future__ import annotations

import pytest

from litellm_homelab.optillm import child_failures
from litellm_homelab.optillm.child_failures import ChildFailure, cause, sentence

LONG = ChildFailure(400, "too long")
BUSY = ChildFailure(429, "busy", "7")
BOTH = {429: BUSY, 400: LONG}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Error code: 500 - Error code: 400 - too long", LONG),
        ("Error code: 500 - Error code: 429 - busy", BUSY),
        ("Error code: 500 - something", LONG),
        ("", LONG),
        ("Error code: 500 - Error code: 502 - bad gateway", None),
    ],
    ids=["the first", "the second", "no status", "nothing", "another one"],
)
def test_the_call_that_optillm_tells_of_counts(said: str, expected: ChildFailure | None) -> None:
    """A status in its text; without one, what does not pass by itself."""
    assert cause(BOTH, said) == expected


def test_no_failure_is_no_cause() -> None:
    """Whatever OptiLLM says."""
    assert cause({}, "Error code: 500 - Error code: 400 - x") is None


def test_a_failure_survives_the_store() -> None:
    """Written as a mark, read again, by the status that OptiLLM was shown."""
    marks = {child_failures.name(429): child_failures.written(BUSY), "problem": "looped:x"}
    assert child_failures.found(marks) == {429: BUSY}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Error code: 400 - too long", "too long"),
        ("litellm.BadRequestError: OpenAIException - too\nlong", "too long"),
        ("too long\nmodel=x. context_window_fallbacks=None. fallbacks=None.\n\nSet 'x'", "too long"),
        ("too long Received Model Group=x", "too long"),
        ("plain", "plain"),
    ],
    ids=["status", "LiteLLM's", "the router's advice", "the router's groups", "plain"],
)
def test_a_message_is_one_line_of_the_backends(text: str, expected: str) -> None:
    """Without what LiteLLM writes around it."""
    assert sentence(text) == expected
    assert len(sentence("word " * 1000)) <= child_failures.LONGEST + 4
