"""Panels with the few settings that they differ in: title, what they say, queries, unit."""

from __future__ import annotations

from collections.abc import Iterable

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""Whatever Prometheus the reader chooses at the top of the page."""
TAG = "litellm-homelab"
WIDTH = 24
"""Columns of a page."""

Queries = dict[str, str]
"""PromQL by legend; the legend's `{{label}}` is replaced."""


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """An empty dashboard, with the choice of the Prometheus and links to its siblings."""
    choice = dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    siblings = dashboard.DashboardLink("litellm-homelab").type(DashboardLinkType.DASHBOARDS)
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("30s")
        .with_variable(choice)
        .link(siblings.tags([TAG]).as_dropdown(False).include_vars(True).keep_time(True))
    )


def number(title: str, says: str, query: str, unit: str = "short", *, bad: float | None = None) -> stat.Panel:
    """One number, red from `bad` on."""
    panel = stat.Panel().title(title).description(says).datasource(DATASOURCE).unit(unit).height(4).span(4)
    steps = [Threshold(color="green", value=None)]
    if bad is not None:
        steps.append(Threshold(color="red", value=bad))
    limits = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"])
    return (
        panel.thresholds(limits)
        .reduce_options(reduced)
        .graph_mode(BigValueGraphMode.NONE)
        .with_target(_target(query, "", "A"))
    )


def lines(
    title: str, says: str, queries: Queries, unit: str = "short", *, stacked: bool = False, span: int = 12
) -> timeseries.Panel:
    """Values over time."""
    panel = timeseries.Panel().title(title).description(says).datasource(DATASOURCE).unit(unit)
    panel = panel.height(8).span(span).min(0).fill_opacity(20 if stacked else 5)
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE)
    panel.legend(legend.placement(LegendPlacement.RIGHT).show_legend(True).calcs(["lastNotNull", "max"]))
    panel.tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for ref, (label, query) in zip("ABCDEFGH", queries.items(), strict=False):
        panel.with_target(_target(query, label, ref))
    return panel


def row(
    page: dashboard.Dashboard, title: str, panels: Iterable[stat.Panel | timeseries.Panel]
) -> dashboard.Dashboard:
    """Put a heading and panels below it."""
    page.with_row(dashboard.Row(title))
    for panel in panels:
        page.with_panel(panel)
    return page


def _target(query: str, legend: str, ref: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query).legend_format(legend).ref_id(ref).range()
