"""The OptiLLM lane: what is asked of it, what it calls, what it costs, what was stopped."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import board, lines, number, row

RATE = "$__rate_interval"
APPROACH = "{{handle}} {{approach}}"


def optillm_lane() -> Dashboard:
    """The whole page."""
    page = board("litellm-homelab-optillm", "LiteLLM homelab: OptiLLM lane", "Handles that are OptiLLM")
    _now(page)
    _asked(page)
    _costs(page)
    _stopped(page)
    return page


def _now(page: Dashboard) -> None:
    row(
        page,
        "In the last hour",
        [
            number("Requests", "That OptiLLM answered", "sum(increase(homelab_optillm_children_count[1h]))"),
            number("Calls back", "That it made for them", "sum(increase(homelab_optillm_children_sum[1h]))"),
            number("Tokens", "Of its calls back", "sum(increase(homelab_optillm_tokens_total[1h]))"),
            number("Loops", "Stopped", "sum(increase(homelab_loops_total[1h]))", bad=1),
            number(
                "Budget spent",
                "Requests that made all the calls they may",
                "sum(increase(homelab_refusals_total{rule='loop_guard', type='fanout_exceeded'}[1h]))",
                bad=1,
            ),
            number(
                "Orphans",
                "Calls with OptiLLM's key that belong to no request: warm-up, health, direct use",
                "sum(increase(homelab_orphans_total[1h]))",
            ),
        ],
    )


def _asked(page: Dashboard) -> None:
    row(
        page,
        "Asked",
        [
            lines(
                "Requests by approach",
                "other: a combination, or one that the handle does not allow",
                {
                    f"{APPROACH} {{{{action}}}}": "sum by (handle, approach, action) "
                    f"(rate(homelab_approach_requests_total[{RATE}])) > 0"
                },
                "reqps",
                stacked=True,
            ),
            lines(
                "Time to the answer, p95",
                "OptiLLM says nothing until all its calls are done, streamed or not",
                {
                    "{{handle}}": "handle:homelab_first_token_seconds:p95_5m"
                    " and on (handle) count by (handle) (homelab_optillm_children_count)"
                },
                "s",
            ),
        ],
    )


def _costs(page: Dashboard) -> None:
    row(
        page,
        "Fan-out",
        [
            lines(
                "Calls back per request, mean",
                "Over the last hour",
                {APPROACH: "handle_approach:homelab_optillm_children:mean1h"},
            ),
            lines(
                "Calls back per request, p95",
                "Over the last hour; compare with the handle's max_calls",
                {APPROACH: "handle_approach:homelab_optillm_children:p95_1h"},
            ),
            lines(
                "Tokens per second",
                "Of calls back, by approach",
                {
                    f"{APPROACH} {{{{kind}}}}": "sum by (handle, approach, kind) "
                    f"(rate(homelab_optillm_tokens_total[{RATE}]))"
                },
                stacked=True,
            ),
            lines(
                "Tokens per request",
                "The bill of one request, over the last hour",
                {
                    APPROACH: "sum by (handle, approach) (rate(homelab_optillm_tokens_total[1h]))"
                    " / (sum by (handle, approach) (rate(homelab_optillm_children_count[1h])) > 0)"
                },
            ),
        ],
    )


def _stopped(page: Dashboard) -> None:
    row(
        page,
        "Stopped",
        [
            lines(
                "Loops",
                "Returns to OptiLLM that were refused; other: without a mark",
                {"{{handle}}": f"sum by (handle) (increase(homelab_loops_total[{RATE}]))"},
                span=8,
            ),
            lines(
                "Refused",
                "By type; fanout_exceeded of rule approach is an estimate, of loop_guard a count",
                {
                    "{{rule}}: {{type}}": "sum by (rule, type) (increase(homelab_refusals_total"
                    f"{{type=~'approach_.+|fanout_exceeded|loop_detected'}}[{RATE}]))"
                },
                span=8,
            ),
            lines(
                "Fields stripped",
                "Of requests, before they left for an upstream",
                {
                    "{{handle}} {{field}}": "sum by (handle, field) "
                    f"(increase(homelab_fields_stripped_total[{RATE}]))"
                },
                span=8,
            ),
        ],
    )
