"""The routing map: boxes and arrows."""

from __future__ import annotations

from litellm_homelab.page import routing
from tests.page import sample


def arrows(kind: str, *refusals: object) -> set[tuple[str, str]]:
    """The arrows of a kind, as pairs of ids."""
    found = routing.drawn(sample.facts(worker=sample.worker(refusals=refusals)))
    return {(one.source, one.target) for one in found.edges if one.kind == kind}


def test_who_uses_what() -> None:
    """A caller with a list uses its names, any other every name; OptiLLM's key is its way back."""
    assert arrows("uses") == {
        ("caller:master", "any:every name"),
        ("caller:app", "group:main"),
        ("caller:app", "group:boost"),
        ("caller:me", "any:every name"),
    }


def test_chains_servers_and_the_way_back() -> None:
    """Each group leads to its server, a chain to its next group, OptiLLM to what it calls back."""
    assert arrows("falls_back") == {("group:main", "group:cloud")}
    assert ("group:main", "backend:nas") in arrows("served_by")
    assert arrows("calls_back") == {("backend:lane", "group:base")}


def test_a_refusal_is_an_arrow_from_its_caller_to_its_handle() -> None:
    """One for a name that does not exist leads to a box of its own."""
    busy = sample.refusal("backend_busy", 429, "main")
    assert arrows("refused", busy) == {("caller:app", "group:main")}
    assert arrows("refused", sample.refusal()) == {("caller:app", "any:no such name")}
    assert "any:no such name" not in {
        one.id for one in routing.drawn(sample.facts(worker=sample.worker(refusals=(busy,)))).nodes
    }


def test_a_blocked_loop_leads_from_optillm_back_to_its_handle() -> None:
    """Whoever's request it was."""
    assert arrows("refused", sample.refusal("loop_detected", 508, "boost")) == {
        ("backend:lane", "group:boost")
    }


def test_old_refusals_and_unknown_callers_are_no_arrows() -> None:
    """The map shows the last hour; an arrow has two ends."""
    old = sample.refusal("backend_busy", 429, "main", at=sample.NOW - 4000)
    unknown = sample.refusal("backend_busy", 429, "main", caller="other")
    keyless = sample.refusal("authentication_error", 401, caller="other")
    assert arrows("refused", old, unknown, keyless) == set()


def test_every_arrow_has_its_boxes_and_no_caller_is_alone() -> None:
    """A stranger's handle in a refusal makes no box."""
    found = routing.drawn(sample.facts(worker=sample.worker(refusals=(sample.refusal(handle="<script>"),))))
    ids = [one.id for one in found.nodes]
    assert len(ids) == len(set(ids))
    assert all({one.source, one.target} <= set(ids) for one in found.edges)
    assert "caller:optillm" not in ids
    assert "group:<script>" not in ids
