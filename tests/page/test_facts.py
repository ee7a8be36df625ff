"""Facts of a worker travel as text, and those of several workers come together."""

from __future__ import annotations

import pytest

from litellm_homelab.page import facts
from litellm_homelab.page.facts import KEPT, SeenBackend
from tests.page import sample


def test_facts_come_back_as_they_were_written() -> None:
    """What one worker writes, another reads, a hostile name included."""
    one = sample.worker(refusals=(sample.refusal(message="<script>alert('é\u2028')</script>"),))
    assert facts.read(one.written()) == one


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"worker": 1}', "null", '{"worker": "a", "refusals": 3}'])
def test_something_else_is_no_facts(text: str) -> None:
    """A text that no worker wrote is an error of one kind."""
    with pytest.raises(ValueError, match=r"."):
        facts.read(text)


def test_the_facts_of_no_worker_are_empty() -> None:
    """There is something to show even then."""
    assert facts.merged([]).refusals == ()


def test_several_workers_are_one() -> None:
    """Refusals in their order, roots of all, speeds added, the newest knowledge of a backend."""
    one = sample.worker()
    later = sample.refusal(at=sample.NOW - 1)
    other = sample.worker(
        worker="two",
        started_at=sample.NOW - 7200,
        refusals=(later,),
        backends={"gpu": SeenBackend("absent", sample.NOW - 1), "nas": SeenBackend("up", sample.NOW - 99)},
        paces={"main": (10.0, 1), "cloud": (5.0, 1)},
    )
    for found in (facts.merged([one, other]), facts.merged([other, one])):
        assert found.refusals == (*one.refusals, later)
        assert found.backends["gpu"].state == "absent"
        assert found.backends["nas"].state == "absent"
        assert found.paces == {"main": (100.0, 3), "cloud": (5.0, 1)}
        assert len(found.roots) == 2
        assert found.started_at == other.started_at


def test_no_more_refusals_than_one_worker_keeps() -> None:
    """However many workers there are."""
    many = sample.worker(refusals=(sample.refusal(),) * KEPT)
    assert len(facts.merged([many, many, many]).refusals) == KEPT
