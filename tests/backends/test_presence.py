"""The standing of a backend: what follows from probes and from attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.backends.presence import (
    AWAY,
    BackendState,
    Probed,
    ProbeOutcome,
    Standing,
    outcome_of,
    read,
)

MODELS = frozenset({"qwen", "llama"})
UP = Standing().probed(Probed(ProbeOutcome.ANSWERED, MODELS, frozenset({"qwen"})), 10.0)
SEEN = st.builds(
    Probed,
    st.sampled_from(ProbeOutcome),
    st.none() | st.frozensets(st.text(max_size=5), max_size=3),
    st.frozensets(st.text(max_size=5), max_size=3),
)


def test_what_is_not_known_is_not_absent() -> None:
    """A backend that nothing has asked yet is served, and has every model."""
    new = Standing()
    assert (new.state, new.is_away, new.has({"any"})) == (BackendState.UNKNOWN, False, True)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        pytest.param(ProbeOutcome.ANSWERED, BackendState.UP, id="answered"),
        pytest.param(ProbeOutcome.BUSY, BackendState.BUSY, id="silent"),
        pytest.param(ProbeOutcome.UNAUTHORIZED, BackendState.UNAUTHORIZED, id="wrong key"),
        pytest.param(ProbeOutcome.LIMITED, BackendState.LIMITED, id="429"),
        pytest.param(ProbeOutcome.ABSENT, BackendState.ABSENT, id="no connection"),
    ],
)
def test_a_probe_says_the_state(outcome: ProbeOutcome, state: BackendState) -> None:
    """Only a backend without a connection is left out."""
    found = Standing().probed(Probed(outcome), 5.0)
    assert (found.state, found.since, found.is_away) == (state, 5.0, state is BackendState.ABSENT)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, ProbeOutcome.ANSWERED),
        (404, ProbeOutcome.ANSWERED),
        (401, ProbeOutcome.UNAUTHORIZED),
        (403, ProbeOutcome.UNAUTHORIZED),
        (429, ProbeOutcome.LIMITED),
        (500, ProbeOutcome.BUSY),
        (503, ProbeOutcome.BUSY),
    ],
)
def test_any_status_says_that_it_is_there(status: int, outcome: ProbeOutcome) -> None:
    """A server that has no list of models is there; one that loads a model answers 503 (llama.cpp)."""
    assert outcome_of(status) is outcome


def test_a_busy_backend_keeps_its_models() -> None:
    """It does not answer while it generates; its models have not gone."""
    busy = UP.probed(Probed(ProbeOutcome.BUSY), 20.0)
    assert (busy.models, busy.has({"qwen"}), busy.has({"mistral"})) == (MODELS, True, False)


def test_an_attempt_without_a_connection_makes_it_absent_until_the_next_probe() -> None:
    """And what it had in memory is not known any more."""
    away = UP.unreachable(12.0)
    assert (away.state, away.since, away.models, away.loaded) == (
        BackendState.ABSENT,
        12.0,
        None,
        frozenset(),
    )
    assert away.probed(Probed(ProbeOutcome.ANSWERED, MODELS), 15.0).state is BackendState.UP


def test_the_time_of_a_state_is_that_of_its_begin() -> None:
    """A second probe that sees the same changes no time."""
    assert UP.probed(Probed(ProbeOutcome.ANSWERED, MODELS), 99.0).since == 10.0


@pytest.mark.parametrize(("after", "state"), [(14.9, BackendState.ABSENT), (15.0, BackendState.UNKNOWN)])
def test_an_absence_that_nothing_probes_ends(after: float, state: BackendState) -> None:
    """Otherwise a cloud would stay away for good."""
    assert Standing().unreachable(0.0).lapsed(after, 15).state is state


def test_only_an_absent_backend_is_woken() -> None:
    """One that is there needs no packet."""
    assert UP.woken(11.0) is UP
    assert UP.unreachable(11.0).woken(12.0).state is BackendState.WAKING


@given(SEEN)
def test_what_is_written_is_read(seen: Probed) -> None:
    """Workers share it through the store."""
    assert read(seen.written()) == seen


@pytest.mark.parametrize("text", ["", "1", "[]", "{}", '{"outcome": "up"}', '{"outcome": 1, "models": 1}'])
def test_anything_else_is_not_read(text: str) -> None:
    """What another version wrote is no probe of ours."""
    with pytest.raises(ValueError, match=r".*"):
        read(text)


@given(st.lists(SEEN | st.none(), max_size=8))
def test_the_last_thing_seen_decides(seen: list[Probed | None]) -> None:
    """After any history: away exactly where the last probe, or the last attempt, found no connection."""
    found = Standing()
    for number, one in enumerate(seen):
        found = found.probed(one, float(number)) if one else found.unreachable(float(number))
    last = seen[-1] if seen else Probed(ProbeOutcome.BUSY)
    assert found.is_away is (last is None or last.outcome is ProbeOutcome.ABSENT)
    assert (found.state in AWAY) is found.is_away
