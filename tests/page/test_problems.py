"""What is wrong now, and what to do first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from litellm_homelab.page import problems
from litellm_homelab.page.facts import BackendFacts, Facts, QuotaWindow, SeenBackend
from tests.page import sample


def calm(**changed: object) -> Facts:
    """Facts without a problem."""
    worker = sample.worker(refusals=(), backends={"gpu": SeenBackend("up", 0.0)})
    return sample.facts(**{"worker": worker, **changed})


def test_a_gateway_without_problems_has_none() -> None:
    """A backend that nothing watches is none, either."""
    assert problems.found(calm()) == []


CASES = {
    "store": (calm(store_answers=False), "error", "store of counters"),
    "worker": (calm(workers=2), "info", "1 of 2 workers"),
    "absent, nothing else": (
        calm(
            worker=sample.worker(refusals=(), backends={"lane": SeenBackend("absent", 0.0)}),
        ),
        "error",
        "nothing answers for boost",
    ),
    "absent, a chain": (
        calm(worker=sample.worker(refusals=())),
        "warning",
        "fallbacks answer for main",
    ),
    "asleep": (
        calm(
            worker=sample.worker(refusals=()),
            backends=(BackendFacts("nas", can_wake=True), BackendFacts("there")),
        ),
        "info",
        "nas is asleep",
    ),
    "waking": (
        calm(worker=sample.worker(refusals=(), backends={"nas": SeenBackend("waking", 0.0)})),
        "info",
        "nas is waking",
    ),
    "unauthorized": (
        calm(worker=sample.worker(refusals=(), backends={"gpu": SeenBackend("unauthorized", 0.0)})),
        "error",
        "gpu refuses the key",
    ),
    "limited": (
        calm(worker=sample.worker(refusals=(), backends={"gpu": SeenBackend("limited", 0.0)})),
        "warning",
        "too many requests",
    ),
    "queue": (
        calm(backends=(BackendFacts("gpu", slots=1, used=1, waiting=2, queue=2),)),
        "warning",
        "queue of gpu is full",
    ),
    "quota spent": (
        calm(quotas=(QuotaWindow("free", "requests/day", 50, 50, 0.0, "configuration"),)),
        "error",
        "free is used up: cloud cannot answer",
    ),
    "quota low": (
        calm(quotas=(QuotaWindow("free", "requests/day", 48, 50, 0.0, "configuration"),)),
        "warning",
        "free runs out before its reset (requests/day)",
    ),
    "quota early": (
        calm(quotas=(QuotaWindow("free", "requests/day", 20, 50, 0.0, "preset", used_up_at=1.0),)),
        "warning",
        "free runs out before its reset (requests/day)",
    ),
    "loop": (
        calm(
            worker=sample.worker(
                backends={},
                refusals=(sample.refusal("loop_detected", 508, message="Loop detected: a -> a."),),
            )
        ),
        "error",
        "A loop was blocked: a -> a.",
    ),
    "broken rule": (
        calm(worker=sample.worker(backends={}, refusals=(sample.refusal("policy_error", 503),))),
        "error",
        "A rule of the gateway failed",
    ),
    "unknown key": (
        calm(worker=sample.worker(backends={}, refusals=(sample.refusal("authentication_error", 401),))),
        "warning",
        "1 of the last requests had no key",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_problem_is_named_with_what_to_do(case: str) -> None:
    """One for each kind, in whole sentences."""
    found, severity, what = CASES[case]
    (problem,) = problems.found(found)
    assert problem.severity == severity
    assert what in problem.what
    assert problem.what.endswith(".")
    assert problem.first.endswith(".")


def test_the_worst_is_first() -> None:
    """Errors before warnings before what is good to know."""
    every = sample.facts(workers=2, store_answers=True, worker=sample.worker(refusals=()))
    spent = QuotaWindow("free", "requests/day", 50, 50, 0.0, "configuration")
    found = problems.found(replace(every, quotas=(spent,)))
    ranks = [problems.ORDER[one.severity] for one in found]
    assert ranks == sorted(ranks)
    assert found[0].severity == "error"


def test_what_was_refused_an_hour_ago_is_no_problem_of_now() -> None:
    """It is in the list of refusals still."""
    old = sample.refusal("loop_detected", 508, at=sample.NOW - 3600)
    assert problems.found(calm(worker=sample.worker(backends={}, refusals=(old,)))) == []
