"""Debian's promtool on deploy/prometheus and on our metrics."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from litellm_homelab.metrics.labels import Labels
from litellm_homelab.metrics.series import Metrics
from tests.deploy.prometheus import ALERTS, FOLDER, RECORDING, TESTS, promtool, rules

pytestmark = pytest.mark.real


def test_the_configuration_is_good(tmp_path: Path) -> None:
    """`promtool check config` takes the folder as it is, with the key file that its comment asks for."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "prometheus"))
    (folder / "litellm-homelab.key").write_text("sk-prometheus", encoding="utf-8")
    done = promtool("check", "config", str(folder / "prometheus.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_our_metrics_are_named_as_prometheus_asks() -> None:
    """`promtool check metrics` has nothing to say about ours."""
    registry = CollectorRegistry()
    Metrics(Labels(groups=("main",), lanes={"boost": ("moa",)}, chains={"main": ("main", "boost")}), registry)
    done = promtool("check", "metrics", text=generate_latest(registry).decode())
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["alerts.test.yml", "recording.test.yml"])
def test_rules_do_what_their_tests_say(name: str) -> None:
    """`promtool test rules` passes."""
    done = promtool("test", "rules", str(TESTS / name))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [rule["alert"] for rule in rules(ALERTS)])
@pytest.mark.parametrize("expr", ["vector(1) > 2", "vector(1)"], ids=["never fires", "always fires"])
def test_a_broken_alert_is_seen(tmp_path: Path, name: str, expr: str) -> None:
    """With an expression that never or always fires, the tests of that alert fail."""
    broken: dict[str, Any] = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    (rule,) = (rule for rule in broken["groups"][0]["rules"] if rule["alert"] == name)
    rule["expr"] = expr
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(broken), encoding="utf-8")
    tests = yaml.safe_load((TESTS / "alerts.test.yml").read_text(encoding="utf-8"))
    tests["rule_files"] = [str(RECORDING), str(tmp_path / "alerts.yml")]
    (tmp_path / "test.yml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    done = promtool("test", "rules", str(tmp_path / "test.yml"))
    assert done.returncode != 0
    assert f"alertname: {name}" in done.stdout + done.stderr
