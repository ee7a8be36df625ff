"""Alerts and their runbook belong together, and each is tested both ways."""

from __future__ import annotations

import re

import pytest

from tests.deploy.prometheus import ALERTS, RECORDING, REPOSITORY, TESTS, alert_cases, rules

RUNBOOK = REPOSITORY / "docs" / "runbook.md"
NAMES = [rule["alert"] for rule in rules(ALERTS)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fires", [True, False], ids=["firing", "silent"])
def test_an_alert_is_tested_both_ways(name: str, fires: bool) -> None:
    """There is a case in which the alert fires, and one in which it does not."""
    assert (name, fires) in set(alert_cases())


@pytest.mark.parametrize("rule", rules(ALERTS), ids=NAMES)
def test_an_alert_leads_to_its_entry_in_the_runbook(rule: dict[str, dict[str, str]]) -> None:
    """Its annotation names the runbook's heading of the same name."""
    name = str(rule["alert"])
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
    assert f"\n## {name}\n" in RUNBOOK.read_text(encoding="utf-8")


@pytest.mark.parametrize("rule", rules(ALERTS), ids=NAMES)
def test_an_alert_says_how_bad_and_what(rule: dict[str, dict[str, str]]) -> None:
    """It has a severity that we use and a summary of one sentence."""
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]


def test_the_runbook_has_no_entry_too_many() -> None:
    """Every heading of the runbook is an alert."""
    assert re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE) == NAMES


@pytest.mark.parametrize("name", [rule["record"] for rule in rules(RECORDING)])
def test_a_recorded_series_is_tested(name: str) -> None:
    """Each recording rule is asked for in recording.test.yml."""
    text = (TESTS / "recording.test.yml").read_text(encoding="utf-8")
    assert re.search(rf"expr: (round\()?{re.escape(name)}\b", text)
