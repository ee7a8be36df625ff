"""What a PromQL expression names: metrics and labels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litellm_homelab.metrics.series import COUNTERS, GAUGES, HISTOGRAMS, LIVE, SHARED
from tests.deploy.prometheus import RECORDING, REPOSITORY, rules

DASHBOARDS = sorted((REPOSITORY / "deploy" / "grafana" / "dashboards").glob("*.json"))
METRIC = re.compile(r"(?<![\w:])(?:(?:homelab|litellm)_\w+|[a-z_]+:[a-z]\w+:\w+)(?![\w:])")
TEXT = re.compile(r'"[^"]*"|\'[^\']*\'')
GROUPED = re.compile(r"\b(?:by|on|without|ignoring) \(([^)]*)\)")
MATCHED = re.compile(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)")
LEGEND = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: where it stands, what it says, its expressions and their legends."""

    page: str
    title: str
    description: str
    queries: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """For a test's name."""
        return f"{self.page}: {self.title}"


def panels(path: Path) -> Iterator[Panel]:
    """The panels of a dashboard's JSON that ask something."""
    page: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for panel in page["panels"]:
        if panel["type"] != "row":
            queries = tuple((one["expr"], one.get("legendFormat", "")) for one in panel["targets"])
            yield Panel(path.stem, panel["title"], panel.get("description", ""), queries)


PANELS = [panel for path in DASHBOARDS for panel in panels(path)]


def metrics(expr: str) -> set[str]:
    """Names of series that an expression asks for, recorded ones included."""
    return set(METRIC.findall(TEXT.sub('""', expr)))


def labels(expr: str, legend: str = "") -> set[str]:
    """Names of labels that an expression groups or matches by, or a legend shows."""
    grouped = (name.strip() for names in GROUPED.findall(expr) for name in names.split(","))
    return {*grouped, *MATCHED.findall(expr), *LEGEND.findall(legend)} - {""}


def _ours() -> dict[str, set[str]]:
    found = {name: set(names) for name, (_, names) in {**COUNTERS, **GAUGES, **LIVE, **SHARED}.items()}
    for name, (_, names, _) in HISTOGRAMS.items():
        found |= {f"{name}_sum": set(names), f"{name}_count": set(names)}
        found[f"{name}_bucket"] = {*names, "le"}
    return found


def _recorded() -> dict[str, set[str]]:
    names = [rule["record"] for rule in rules(RECORDING)]
    return {name: set(name.split(":", 1)[0].split("_")) for name in names}


DECLARED = {**_ours(), **_recorded()}
"""The labels of each series of this package, and of each recorded one, whose name begins with them."""
