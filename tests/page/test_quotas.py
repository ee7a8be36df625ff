"""The windows of quotas as the page shows them."""

from __future__ import annotations

from litellm_homelab.config.sections import QuotaSection
from litellm_homelab.page import quotas
from litellm_homelab.quotas.rule import Quota
from litellm_homelab.state.account import Account, Closure, KnownLimit

NOW = 1_795_718_400.0
QUOTA = Quota.of(
    "free",
    QuotaSection.model_validate(
        {"groups": ["cloud"], "windows": [{"requests": 50, "per": "day"}, {"requests": 5, "per": "minute"}]}
    ),
)


def used(number: int) -> Account:
    """An account of which so many requests are used, in both windows."""
    keys = [use.keys[0] for use in QUOTA.uses(0, NOW)]
    return Account().add("worker", dict.fromkeys(keys, number))


def test_a_window_has_its_use_its_limit_and_its_reset() -> None:
    """The day ends at midnight UTC, the minute with the minute."""
    day, minute = quotas.windows(QUOTA, used(4), NOW)
    assert (day.quota, day.window, day.used, day.limit, day.source) == (
        "free",
        "requests/day",
        4,
        50,
        "configuration",
    )
    assert day.resets_at == 1_795_737_600.0
    assert minute.resets_at == NOW + 60
    assert minute.used_up_at is None


def test_a_limit_that_the_provider_said_names_its_source() -> None:
    """Where it is the one that counts."""
    said = used(4)._replace(limits={"requests/day": KnownLimit(20, 1, "header")})
    day, _ = quotas.windows(QUOTA, said, NOW)
    assert (day.limit, day.source) == (20, "header")
    larger = used(4)._replace(limits={"requests/day": KnownLimit(90, 1, "header")})
    day, _ = quotas.windows(QUOTA, larger, NOW)
    assert (day.limit, day.source) == (50, "configuration")


def test_a_preset_is_named_as_such() -> None:
    """Its numbers are the provider's documentation."""
    preset = Quota.of("groq", QuotaSection.model_validate({"groups": ["cloud"], "preset": "groq-free"}))
    sources = {one.source for one in quotas.windows(preset, Account(), NOW)}
    assert sources <= {"preset", "provider"}
    assert "preset" in sources


def test_what_is_closed_now_is_shown_and_nothing_else() -> None:
    """A closure has a beginning and an end."""
    closed = {
        "requests/day": Closure(int(NOW) - 5, int(NOW) + 60, "closed", "body"),
        "old": Closure(int(NOW) - 50, int(NOW) - 1, "closed", "body"),
    }
    (one,) = quotas.closures(QUOTA, Account(closed=closed), NOW)
    assert (one.quota, one.window, one.until, one.source) == ("free", "requests/day", NOW + 60, "body")
