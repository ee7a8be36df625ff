"""Which quotas a group counts against, and when an attempt that is refused may come back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from litellm_homelab.config.sections import QuotaSection
from litellm_homelab.quotas.observations import State
from litellm_homelab.quotas.rule import Quota, Quotas, exhausted
from litellm_homelab.quotas.windows import Per, Unit
from litellm_homelab.state.account import Account, Closure, Corrections

NOW = datetime(2026, 11, 26, 18, 30, 20, tzinfo=UTC).timestamp()
MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC).timestamp()
DAY = {"requests": 10, "per": "day"}
MINUTE = {"requests": 2, "per": "minute"}


def quotas(**sections: Any) -> Quotas:
    """The rule on these sections."""
    return Quotas({name: QuotaSection.model_validate(one) for name, one in sections.items()})


def quota(**section: Any) -> Quota:
    """One quota, of the group `main`."""
    return quotas(q={"groups": ["main"], **section}).all[0]


def windows(found: Quota) -> set[str]:
    """A quota's windows, each with its limit and calendar."""
    return {
        f"{one.limit} {one.name} {one.calendar.zone} {one.calendar.reset:%H:%M}{' rolling' * one.rolling}"
        for one in found.windows
    }


def test_a_group_draws_on_each_of_its_quotas() -> None:
    """Several groups share one, and one group may have several."""
    found = quotas(
        one={"groups": ["a", "b"], "windows": [DAY]}, two={"groups": ["b", "c/*"], "windows": [DAY]}
    )
    names = {group: [one.name for one in found.of(group)] for group in ("a", "b", "c/x", "d", None)}
    assert names == {"a": ["one"], "b": ["one", "two"], "c/x": ["two"], "d": [], None: []}


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"windows": [DAY, MINUTE]}, {"10 requests/day UTC 00:00", "2 requests/minute UTC 00:00"}),
        (
            {"windows": [{**DAY, "zone": "Asia/Tokyo", "reset": "06:30"}]},
            {"10 requests/day Asia/Tokyo 06:30"},
        ),
        (
            {"preset": "openrouter-free"},
            {"50 requests/day UTC 00:00", "20 requests/minute UTC 00:00"},
        ),
        (
            {"preset": "gemini-free", "windows": [{"requests": 1500, "per": "day"}]},
            {"1500 requests/day America/Los_Angeles 00:00", "None tokens/minute UTC 00:00"},
        ),
        (
            {"preset": "openrouter-free", "windows": [{"tokens": 9, "per": "day", "zone": "Asia/Tokyo"}]},
            {"50 requests/day UTC 00:00", "20 requests/minute UTC 00:00", "9 tokens/day Asia/Tokyo 00:00"},
        ),
        ({"windows": [{**MINUTE, "rolling": True}]}, {"2 requests/minute UTC 00:00 rolling"}),
    ],
    ids=["own", "zone", "preset", "zone of the preset", "another unit", "rolling"],
)
def test_windows_beside_a_preset_replace_those_of_their_unit(
    section: dict[str, Any], expected: set[str]
) -> None:
    """Their calendar is the preset's where they name none."""
    assert windows(quota(**section)) == expected


def filled(of: Quota, number: int, tokens: int = 0) -> dict[str, Account]:
    """The account after so many attempts."""
    account = Account()
    for use in of.uses(tokens, NOW):
        account = account.add("w", {use.keys[0]: use.amount * number})
    return {of.account: account}


def test_the_last_window_to_open_says_when() -> None:
    """A minute that is over does not help while the day is used up."""
    found = quota(windows=[DAY, MINUTE])
    short, long = filled(found, 2), filled(found, 10)
    first = exhausted([found], short, 0, "main", NOW)
    second = exhausted([found], long, 0, "main", NOW)
    assert first is not None
    assert second is not None
    assert (first.until, first.per, first.limit) == (NOW + 40, Per.MINUTE, 2)
    assert (second.until, second.per, second.limit) == (MIDNIGHT, Per.DAY, 10)
    assert exhausted([found], filled(found, 1), 0, "main", NOW) is None


def test_tokens_have_room_for_their_estimate() -> None:
    """An attempt is refused where its tokens do not fit in, and a smaller one is not."""
    found = quota(windows=[{"tokens": 100, "per": "day"}])
    accounts = filled(found, 1, tokens=80)
    refused = exhausted([found], accounts, 30, "main", NOW)
    assert refused is not None
    assert (refused.unit, refused.limit) == (Unit.TOKENS, 100)
    assert exhausted([found], accounts, 20, "main", NOW) is None


@pytest.mark.parametrize(
    ("name", "state", "group", "per"),
    [
        ("requests/day", State.CLOSED, "", Per.DAY),
        ("credits/day:closed", State.CLOSED, "", Per.DAY),
        ("credits/month:payment", State.PAYMENT, "", Per.MONTH),
        ("absent:main", State.ABSENT, "main", None),
        ("retry", State.CLOSED, "", None),
    ],
)
def test_what_a_provider_has_closed(name: str, state: State, group: str, per: Per | None) -> None:
    """A closure says until when, and what is closed."""
    found = quota(windows=[DAY])
    closure = Closure(int(NOW) - 9, int(NOW) + 99, state, "body", group)
    accounts = {found.account: Account().corrected(Corrections({name: closure}), "w")}
    refused = exhausted([found], accounts, 0, "main", NOW)
    assert refused is not None
    assert (refused.until, refused.state, refused.per) == (closure.until, state, per)
    assert exhausted([found], accounts, 0, "main", NOW + 100) is None
