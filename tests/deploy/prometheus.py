"""The rule files of deploy/prometheus, and Debian's promtool on them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "deploy" / "prometheus"
RECORDING = FOLDER / "rules" / "recording.yml"
ALERTS = FOLDER / "rules" / "alerts.yml"
TESTS = Path(__file__).parent


def rules(path: Path) -> list[dict[str, Any]]:
    """Every rule of a file, in order."""
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alert_cases() -> Iterator[tuple[str, bool]]:
    """Each expectation of alerts.test.yml: the alert, and whether it must fire."""
    for test in yaml.safe_load((TESTS / "alerts.test.yml").read_text(encoding="utf-8"))["tests"]:
        for case in test["alert_rule_test"]:
            yield case["alertname"], bool(case["exp_alerts"])


def promtool(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run promtool; its output is kept for the message of a failed assert."""
    return subprocess.run(
        ["promtool", *arguments], input=text, capture_output=True, text=True, check=False, timeout=300
    )
