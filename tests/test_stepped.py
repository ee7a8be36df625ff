"""The clock that tests step: written whole, and set where no day ends during a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from litellm_homelab.quotas.presets import presets
from tests.stepped import ahead_of_midnight, set_ahead

MOMENTS = (
    datetime(2026, 11, 26, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 27, 7, 59, 59, tzinfo=UTC),
    datetime(2026, 7, 1, 6, 59, 59, tzinfo=UTC),
    datetime(2026, 11, 26, 18, 0, 1, tzinfo=UTC),
)


def test_a_reader_never_finds_half_a_number(tmp_path: Path) -> None:
    """Who has opened the file reads the old number to its end; an empty one would break any `time.time()`."""
    file = tmp_path / "clock"
    set_ahead(file, 1.5)
    with file.open(encoding="utf-8") as reader:
        set_ahead(file, 2.5)
        assert reader.read() == "1.5"
    assert file.read_text(encoding="utf-8") == "2.5"
    assert [*tmp_path.iterdir()] == [file]


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_no_preset_has_a_midnight_within_the_hour(now: datetime) -> None:
    """Whenever a test runs, in every zone in which a provider's day begins."""
    then = now + timedelta(seconds=ahead_of_midnight(now))
    for preset in presets().values():
        for window in preset.windows:
            local = then.astimezone(ZoneInfo(window.calendar.zone))
            assert local.date() == (local + timedelta(hours=1)).date(), preset.name
