"""What `/homelab.json` says of facts."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.page import model
from litellm_homelab.page.facts import Closed
from tests.page import sample


def test_everything_is_there() -> None:
    """One row for each thing, with the numbers of the facts."""
    found = model.view(sample.facts())
    assert found.gateway == model.GatewayView("0.1.0", "1.108.7", 1, 1, is_exact=True)
    assert [(one.name, one.state, one.place) for one in found.handles] == [
        ("main", "fallback", "handle"),
        ("cloud", "unknown", "handle"),
        ("boost", "unknown", "handle"),
        ("secret-one", "up", "hidden"),
        ("base", "up", "internal"),
    ]
    main = found.handles[0]
    assert (main.tokens_per_second, main.fallbacks, main.backends) == (45.0, ("cloud",), ("nas",))
    assert found.handles[4].waiting == 3
    gpu = found.backends[0]
    assert (gpu.slots, gpu.slots_used, gpu.waiting, gpu.loaded) == (2, 2, 3, ("qwen",))
    assert gpu.since == "2026-11-26T18:39:00Z"
    assert gpu.handles == ("secret-one", "base")
    root = found.roots[0]
    assert (root.handle, root.calls, root.calls_done, root.max_calls, root.tokens) == ("boost", 3, 2, 64, 120)
    assert (found.counts.refusals_24h, found.counts.loops_blocked_24h) == (7, 1)


def test_a_root_shows_no_more_of_its_id_than_is_needed() -> None:
    """The whole id is a claim of lineage tokens."""
    assert model.view(sample.facts()).roots[0].id == "a" * 8


def test_a_quota_says_what_is_left_and_until_when_it_is_closed() -> None:
    """A closure without a window of its name is that of the whole quota."""
    closed = Closed("free", "whole", sample.NOW + 90, "closed", "body")
    (one,) = model.view(sample.facts(closed=(closed,))).quotas
    assert (one.used, one.limit, one.left, one.resets_at) == (40, 50, 10, "2026-11-26T19:40:00Z")
    assert (one.closed_until, one.closed_by) == ("2026-11-26T18:41:30Z", "body")


def test_refusals_that_differ_in_time_alone_are_one_row() -> None:
    """The newest is first, and says how often."""
    same = [sample.refusal(at=sample.NOW - 9), sample.refusal(at=sample.NOW - 8)]
    other = sample.refusal("approach_not_allowed", 400, "boost", at=sample.NOW - 7)
    found = model.view(sample.facts(worker=sample.worker(refusals=(*same, other)))).refusals
    assert [(one.type, one.times) for one in found] == [("approach_not_allowed", 1), ("model_not_found", 2)]


@pytest.mark.parametrize(
    ("workers", "seen", "store", "is_exact"),
    [(1, 1, True, True), (2, 2, True, True), (2, 1, True, False), (1, 1, False, False)],
)
def test_numbers_are_exact_where_every_worker_and_the_store_answer(
    workers: int, seen: int, store: bool, is_exact: bool
) -> None:
    """Else the page says that they are not."""
    found = sample.facts(workers=workers, seen=seen, store_answers=store)
    assert model.view(found).gateway.is_exact is is_exact


def test_time_alone_changes_nothing() -> None:
    """So the entity tag stays the same while nothing happens."""
    one = sample.facts()
    assert orjson.dumps(model.view(one)) == orjson.dumps(model.view(replace(one, at=one.at + 2)))


@given(st.text(), st.text(), st.text())
def test_any_text_of_a_client_is_a_string_of_the_json(handle: str, caller: str, message: str) -> None:
    """Nothing that a client writes breaks out of it."""
    refusal = sample.refusal(handle=handle, caller=caller, message=message)
    found = sample.facts(worker=sample.worker(refusals=(refusal,)))
    said = orjson.loads(orjson.dumps(model.view(found)))["refusals"][0]
    assert (said["handle"], said["caller"], said["message"]) == (handle, caller, message)
