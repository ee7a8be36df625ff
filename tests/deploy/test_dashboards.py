"""The committed dashboards are what the code builds, and ask only for what there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.grafana.files import texts
from tests.deploy.prometheus import ALERTS, RECORDING, rules
from tests.deploy.promql import DASHBOARDS, DECLARED, PANELS, Panel, labels, metrics

RULES = [*rules(RECORDING), *rules(ALERTS)]
EXPRESSIONS = [
    *(pytest.param(rule["expr"], "", id=rule.get("record") or rule["alert"]) for rule in RULES),
    *(pytest.param(expr, legend, id=panel.id) for panel in PANELS for expr, legend in panel.queries),
]


def test_the_committed_json_is_what_the_code_builds() -> None:
    """`python -m deploy.grafana` would change nothing."""
    assert {path: path.read_text(encoding="utf-8") for path in DASHBOARDS} == texts()


@pytest.mark.parametrize(("expr", "legend"), EXPRESSIONS)
def test_an_expression_asks_for_what_there_is(expr: str, legend: str) -> None:
    """Every series of ours, and every recorded one, is declared; so are the labels asked of them."""
    named = metrics(expr)
    assert {name for name in named if not name.startswith("litellm_")} <= DECLARED.keys()
    if named and named <= DECLARED.keys():
        assert labels(expr, legend) <= set().union(*(DECLARED[name] for name in named))


def test_a_metric_that_is_gone_is_seen() -> None:
    """The names in an expression are found wherever they stand, texts aside."""
    expr = 'sum by (handle) (rate(homelab_gone_total{rule="homelab_text"}[5m])) / handle:gone:rate5m'
    assert metrics(expr) == {"homelab_gone_total", "handle:gone:rate5m"}
    assert labels(expr, "{{caller}}") == {"handle", "rule", "caller"}


@pytest.mark.parametrize("panel", [pytest.param(panel, id=panel.id) for panel in PANELS])
def test_a_panel_says_what_it_shows(panel: Panel) -> None:
    """Each has a title, a sentence and a query."""
    assert panel.title
    assert panel.description
    assert panel.queries


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_page_fits_any_grafana(path: Path) -> None:
    """Each panel asks the Prometheus that the reader chooses; the page has a name of its own, no number."""
    page = json.loads(path.read_text(encoding="utf-8"))
    asked = {panel["datasource"]["uid"] for panel in page["panels"] if panel["type"] != "row"}
    assert asked == {"${datasource}"}
    assert page["uid"].startswith("litellm-homelab-")
    assert "id" not in page


@pytest.mark.parametrize("name", sorted(name for name in DECLARED if ":" not in name))
def test_every_metric_is_looked_at(name: str) -> None:
    """No metric of ours is exported for nobody: a rule or a panel asks for it."""
    asked = {one for case in EXPRESSIONS for one in metrics(str(case.values[0]))}
    base = name.removesuffix("_sum").removesuffix("_count").removesuffix("_bucket")
    assert any(one.startswith(base) for one in asked)
