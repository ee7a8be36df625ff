"""Times as providers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.quotas import durations

NOW = 1_764_115_200.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2m59.56s", 179.56),
        ("120ms", 0.12),
        ("1d2h", 93_600),
        ("1h0m9s", 3609),
        ("7.66s", 7.66),
        (" 12 ", 12),
    ],
)
def test_a_duration(text: str, seconds: float) -> None:
    """Durations of Groq and Google, and plain seconds."""
    assert durations.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "-1s", "1 h", "1y", "NaN", "1e9", "1.2.3s", "٣s", "9" * 99, "1s" * 99]
)
def test_what_is_not_a_duration(text: str) -> None:
    """Anything else is nothing."""
    assert durations.seconds(text) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2m", NOW + 120),
        ("33011.38", NOW + 33_011.38),
        ("1764115260", NOW + 60),
        ("1764115260000", NOW + 60),
        ("2025-11-26T00:01:00Z", NOW + 60),
        ("2025-11-26T00:01:00", NOW + 60),
        ("Wed, 26 Nov 2025 00:01:00 GMT", NOW + 60),
        ("tomorrow", None),
        ("x" * 999, None),
        ("Wed, 26 Nov 2025 00:01:00 +99999999999999999999", None),
    ],
)
def test_the_moment_of_a_reset(text: str, moment: float | None) -> None:
    """Durations and seconds count from now; epochs in s and ms, ISO and HTTP dates are moments."""
    found = durations.moment(text, NOW)
    assert found == (None if moment is None else pytest.approx(moment))


@given(seconds=st.integers(0, 10_000_000))
def test_what_is_written_reads_the_same(seconds: int) -> None:
    """Hours, minutes and seconds, as OpenAI writes them."""
    assert durations.seconds(durations.written(seconds)) == seconds


def test_a_part_of_a_second_is_a_whole_one() -> None:
    """A reset is never said to be earlier than it is, and never negative."""
    assert (durations.written(0.2), durations.written(-3)) == ("1s", "0s")
