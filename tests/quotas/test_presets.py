"""Presets: dated data, whose age and end are said."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from litellm_homelab.quotas import presets
from litellm_homelab.quotas.windows import Per, Unit

PRESETS = presets.presets()
ENDED = {"cerebras-free", "github-free"}


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_complete(name: str) -> None:
    """It has a date, a source, and each window once."""
    found = PRESETS[name]
    assert found.checked >= date(2026, 11, 25)
    assert found.source.startswith("https://")
    assert len({one.name for one in found.windows}) == len(found.windows) > 0
    assert all(one.documented for one in found.windows)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_doubted_after_half_a_year(name: str) -> None:
    """Not on the 180th day, on the next; one whose tier has ended from its end on."""
    found = PRESETS[name]
    fresh, old = found.checked + timedelta(days=180), found.checked + timedelta(days=181)
    if name in ENDED:
        assert found.ends is not None
        assert [*found.doubts(found.ends)] == []
        assert "ended" in next(found.doubts(found.ends + timedelta(days=1)))
    else:
        assert [*found.doubts(fresh)] == []
        assert "180 days ago" in next(found.doubts(old))


def test_the_day_of_gemini_is_pacific() -> None:
    """Requests a day are counted to midnight Pacific time."""
    assert PRESETS["gemini-free"].calendars[Per.DAY].zone == "America/Los_Angeles"


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("groq-free", {(Unit.REQUESTS, Per.DAY): 1000, (Unit.REQUESTS, Per.MINUTE): 30}),
        ("openrouter-free", {(Unit.REQUESTS, Per.DAY): 50, (Unit.REQUESTS, Per.MINUTE): 20}),
        ("cohere-free", {(Unit.REQUESTS, Per.MONTH): 1000, (Unit.REQUESTS, Per.MINUTE): 20}),
        ("nvidia-free", {(Unit.REQUESTS, Per.MINUTE): 40}),
        ("huggingface-free", {(Unit.CREDITS, Per.MONTH): None}),
        ("cloudflare-free", {(Unit.CREDITS, Per.DAY): None}),
    ],
)
def test_the_numbers(name: str, limits: dict[tuple[Unit, Per], int | None]) -> None:
    """As documented in November 2026."""
    assert {(one.unit, one.calendar.per): one.limit for one in PRESETS[name].windows} == limits


@pytest.mark.parametrize(
    ("host", "provider"),
    [("api.groq.com", "groq"), ("API.GROQ.COM.", "groq"), ("api.groq.com.evil.example", ""), ("", "")],
)
def test_a_provider_by_its_host(host: str, provider: str) -> None:
    """A deployment for a compatible server is known by its address."""
    assert presets.provider_at(host) == provider
