"""Which limit ends an attempt, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.config.sections import TimeoutSection
from litellm_homelab.timeouts.groups import limits_of
from litellm_homelab.timeouts.rule import Deadline, Limit, Progress, TimeLimits, deadline

ALL = TimeLimits(connect=1, first_token=60, idle=30, total=600)
SECONDS = st.floats(min_value=0.001, max_value=86_400)
LIMITS = st.builds(
    TimeLimits,
    connect=st.none() | SECONDS,
    first_token=st.none() | SECONDS,
    idle=st.none() | SECONDS,
    total=st.none() | SECONDS,
)


@pytest.mark.parametrize(
    ("limits", "progress", "now", "expected"),
    [
        pytest.param(ALL, Progress(100), 100, Deadline(Limit.FIRST_TOKEN, 160, 60), id="sent"),
        pytest.param(ALL, Progress(100), 159, Deadline(Limit.FIRST_TOKEN, 160, 60), id="still nothing"),
        pytest.param(ALL, Progress(100, True), 200, Deadline(Limit.IDLE, 230, 30), id="content"),
        pytest.param(ALL, Progress(100, True, 20), 220, Deadline(Limit.IDLE, 230, 30), id="waited already"),
        pytest.param(ALL, Progress(100, True), 690, Deadline(Limit.TOTAL, 700, 600), id="long"),
        pytest.param(ALL.whole, Progress(100), 100, Deadline(Limit.TOTAL, 700, 600), id="whole"),
        pytest.param(
            TimeLimits(first_token=9, total=9), Progress(1), 1, Deadline(Limit.FIRST_TOKEN, 10, 9), id="both"
        ),
        pytest.param(TimeLimits(connect=1), Progress(100), 100, None, id="connect is the transport's"),
        pytest.param(TimeLimits(first_token=60), Progress(100, True), 500, None, id="begun"),
        pytest.param(TimeLimits(), Progress(100), 100, None, id="none"),
    ],
)
def test_the_next_deadline(
    limits: TimeLimits, progress: Progress, now: float, expected: Deadline | None
) -> None:
    """Before the first content `first_token` counts, after it `idle`, and `total` always."""
    assert deadline(limits, progress, now) == expected


@given(LIMITS, SECONDS, st.booleans(), SECONDS)
def test_no_attempt_outlives_its_total(limits: TimeLimits, sent: float, begun: bool, later: float) -> None:
    """Whatever else is set, no deadline is after `total`, and there is one where a limit applies."""
    found = deadline(limits, Progress(sent, begun), sent + later)
    if limits.total is not None:
        assert found is not None
        assert found.at <= sent + limits.total
    elif found is not None:
        assert found.limit is (Limit.IDLE if begun else Limit.FIRST_TOKEN)


@given(LIMITS, SECONDS, SECONDS, SECONDS)
def test_a_slow_clients_time_is_not_the_upstreams(
    limits: TimeLimits, sent: float, waited: float, pause: float
) -> None:
    """`idle` moves with the instant at which the upstream is waited for again."""
    before = deadline(TimeLimits(idle=limits.idle), Progress(sent, True, waited), sent)
    after = deadline(TimeLimits(idle=limits.idle), Progress(sent, True, waited), sent + pause)
    if limits.idle is not None:
        assert before is not None
        assert after is not None
        assert after.at - before.at == pytest.approx(pause, abs=1e-3)


SECTION = {
    "default": TimeoutSection(connect=3.0, total=1800.0),
    "main": TimeoutSection(connect=1.0, first_token=60.0),
}


@pytest.mark.parametrize(
    ("group", "section", "expected"),
    [
        pytest.param("main", SECTION, TimeLimits(connect=1, first_token=60, total=1800), id="own"),
        pytest.param("rung", SECTION, TimeLimits(connect=3, total=1800), id="default"),
        pytest.param("rung", {"main": SECTION["main"]}, TimeLimits(), id="none"),
    ],
)
def test_the_limits_of_a_group(group: str, section: dict[str, TimeoutSection], expected: TimeLimits) -> None:
    """What a group's entry leaves out is that of `default`; what neither sets is off."""
    assert limits_of(group, section) == expected
