"""How a handle is, given its backends, quotas and chain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from litellm_homelab.backends.presence import BackendState
from litellm_homelab.page import model, states
from litellm_homelab.page.facts import BackendFacts, Closed, Deployed, QuotaWindow, SeenBackend
from litellm_homelab.page.states import HandleState
from litellm_homelab.page.widget import widget
from tests.page import sample

ALONE = {
    "up": "up",
    "busy": "busy",
    "waking": "waking",
    "absent": "absent",
    "unauthorized": "unauthorized",
    "limited": "limited",
    "unknown": "unknown",
}


@pytest.mark.parametrize(("backend", "handle"), ALONE.items())
def test_a_handle_is_as_its_one_backend(backend: str, handle: str) -> None:
    """Without a chain there is nothing else to go by."""
    worker = sample.worker(backends={"gpu": SeenBackend(backend, 0.0)})
    assert states.handle_state(sample.facts(worker=worker), "secret-one") == handle


def test_every_state_of_a_backend_has_a_word() -> None:
    """A new state of backends must be looked at here."""
    assert set(ALONE) == set(BackendState)


def test_a_backend_without_presence_is_unknown_and_not_absent() -> None:
    """Unknown counts as good: nothing says that it is away."""
    found = states.handle_state(sample.facts(), "boost")
    assert found is HandleState.UNKNOWN
    assert found in states.GOOD


def test_the_chain_answers_for_a_backend_that_is_away() -> None:
    """`main` is on the NAS, which is absent; `cloud` is there."""
    assert states.handle_state(sample.facts(), "main") is HandleState.FALLBACK


def test_a_used_up_quota_is_the_state_of_its_handles() -> None:
    """And of what falls back to it."""
    spent = QuotaWindow("free", "requests/day", 50, 50, sample.NOW + 60, "configuration")
    found = sample.facts(quotas=(spent,))
    assert states.handle_state(found, "cloud") is HandleState.EXHAUSTED
    assert states.handle_state(found, "main") is HandleState.ABSENT


@pytest.mark.parametrize(("group", "is_spent"), [("", True), ("cloud", True), ("other", False)])
def test_what_a_provider_closes_is_used_up(group: str, is_spent: bool) -> None:
    """For all of the quota's groups, or for the one that the provider named."""
    closed = Closed("free", "requests/day", sample.NOW + 60, "closed", "body", group)
    assert states.spent(sample.facts(closed=(closed,)), "cloud") is is_spent


def test_a_server_that_a_request_wakes_is_asleep() -> None:
    """It is away, and nothing is wrong."""
    found = sample.facts()
    backends = tuple(replace(one, can_wake=True) if one.name == "nas" else one for one in found.backends)
    found = replace(found, backends=backends, shown=replace(found.shown, chains={}))
    assert states.handle_state(found, "main") is HandleState.ASLEEP
    view = model.view(found)
    assert {one.name: one.state for one in view.backends}["nas"] == "asleep"
    assert [one.state for one in view.map.nodes if one.name == "nas"] == ["asleep"]
    assert [one.what for one in view.problems if "nas" in one.what] == ["nas is asleep."]
    assert widget(view).backends_absent == 1


def test_the_best_deployment_counts() -> None:
    """One server of two is there; a missing model is as good as no server."""
    found = sample.facts(
        deployed=(Deployed("main", "nas"), Deployed("main", "gpu")),
        backends=(BackendFacts("nas"), BackendFacts("gpu")),
    )
    assert states.handle_state(found, "main") is HandleState.UP
    missing = replace(found, deployed=(Deployed("main", "nas"), Deployed("main", "gpu", is_missing=True)))
    assert states.own_state(missing, "main") is HandleState.ABSENT
