"""The flat object for other people's dashboards."""

from __future__ import annotations

from dataclasses import asdict, replace

from litellm_homelab.page import model
from litellm_homelab.page.facts import QuotaWindow
from litellm_homelab.page.widget import widget
from tests.page import sample

NAMES = [
    *("handles_up", "handles_total", "backends_absent", "queue_waiting", "quota_low_name", "quota_low_left"),
    *("quota_low_resets_at", "loops_blocked_24h", "refusals_24h", "last_refusal"),
]
"""The contract's, in its order."""


def test_it_is_flat_and_has_the_names_of_the_contract() -> None:
    """Numbers and texts, no list and no object."""
    found = asdict(widget(model.view(sample.facts())))
    assert list(found) == NAMES
    assert found == {
        "handles_up": 3,
        "handles_total": 3,
        "backends_absent": 1,
        "queue_waiting": 3,
        "quota_low_name": "free requests/day",
        "quota_low_left": 10,
        "quota_low_resets_at": "2026-11-26T19:40:00Z",
        "loops_blocked_24h": 1,
        "refusals_24h": 7,
        "last_refusal": "model_not_found",
    }


def test_what_there_is_nothing_of_is_null() -> None:
    """A young gateway without quotas."""
    found = widget(model.view(sample.facts(quotas=(), worker=sample.worker(refusals=()))))
    absent = ("quota_low_name", "quota_low_left", "quota_low_resets_at", "last_refusal")
    assert [getattr(found, name) for name in absent] == [None] * 4


def test_the_lowest_quota_is_the_one_with_the_smallest_share_left() -> None:
    """Not the one with the smallest number; one without a limit is none."""
    windows = (
        QuotaWindow("many", "tokens/day", 99_000, 100_000, sample.NOW, "header"),
        QuotaWindow("few", "requests/minute", 1, 30, sample.NOW, "preset"),
        QuotaWindow("open", "requests/month", 5, None, sample.NOW, "provider"),
    )
    found = widget(model.view(sample.facts(quotas=windows)))
    assert (found.quota_low_name, found.quota_low_left) == ("many tokens/day", 1000)


def test_the_last_refusal_names_its_handle() -> None:
    """The newest one."""
    busy = sample.refusal("backend_busy", 429, "main")
    found = widget(model.view(sample.facts(worker=sample.worker(refusals=(busy,)))))
    assert found.last_refusal == "backend_busy (main)"


def test_a_handle_that_cannot_answer_is_not_up() -> None:
    """Its backend is away, and its chain is gone."""
    one = sample.facts()
    found = widget(model.view(replace(one, shown=replace(one.shown, chains={}))))
    assert (found.handles_up, found.handles_total) == (2, 3)
