"""The overview: is it well, how fast does it feel, who is turned away."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.panels import board, lines, number, row

RATE = "$__rate_interval"


def overview() -> Dashboard:
    """The whole page."""
    page = board("litellm-homelab-overview", "LiteLLM homelab: overview", "One gateway, all its handles")
    _now(page)
    _speed(page)
    _chains(page)
    _backends(page)
    _quotas(page)
    _rules(page)
    return page


def _now(page: Dashboard) -> None:
    row(
        page,
        "Now",
        [
            number("Requests", "Per second, all handles", "sum(handle:litellm_requests:rate5m)", "reqps"),
            number(
                "Failed",
                "Share of requests that ended with a 5xx or a 429",
                "sum(handle:litellm_requests_failed:rate5m) / sum(handle:litellm_requests:rate5m)",
                "percentunit",
                bad=0.1,
            ),
            number(
                "Slowest first text",
                "The handle whose p95 is the longest",
                "max(handle:homelab_first_token_seconds:p95_5m)",
                "s",
            ),
            number(
                "Last rung",
                "Answers in the last hour that came from the last group of a chain",
                "sum(increase(homelab_attempts_total{outcome='answered'}[1h])"
                " and on (handle, target) homelab_chain_rungs_left == 0)",
                bad=1,
            ),
            number("Refused", "In the last hour", "sum(increase(homelab_refusals_total[1h]))"),
            number(
                "Rules broken",
                "In the last day; each refused a request",
                "sum(increase(homelab_rule_errors_total[1d]))",
                bad=1,
            ),
        ],
    )


def _speed(page: Dashboard) -> None:
    handle = "{{handle}}"
    row(
        page,
        "Requests",
        [
            lines(
                "Requests by group",
                "After a failover: the group that answered, not the handle asked for",
                {handle: "handle:litellm_requests:rate5m"},
                "reqps",
                stacked=True,
            ),
            lines(
                "Failed by group",
                "Share that ended with a 5xx or a 429",
                {handle: "handle:litellm_requests_failed:ratio_rate5m"},
                "percentunit",
            ),
            lines(
                "First text, p95",
                "From the request to the first text, failed rungs included; OptiLLM speaks only at its end",
                {handle: "handle:homelab_first_token_seconds:p95_5m"},
                "s",
            ),
            lines(
                "Whole answer, p95",
                "From the request to the end of its answer",
                {handle: "handle:litellm_request_latency_seconds:p95_5m"},
                "s",
            ),
            lines(
                "Speed, median",
                "Completion tokens a second as a person feels them: from the request to its end",
                {
                    handle: "histogram_quantile(0.5, sum by (handle, le) "
                    f"(rate(homelab_output_tokens_per_second_bucket[{RATE}])))"
                },
            ),
            lines(
                "Tokens",
                "Per second, by the group that used them; OptiLLM's are those of its calls back",
                {
                    "{{handle}} in": "handle:litellm_input_tokens:rate5m",
                    "{{handle}} out": "handle:litellm_output_tokens:rate5m",
                },
                stacked=True,
            ),
        ],
    )


def _chains(page: Dashboard) -> None:
    row(
        page,
        "Chains",
        [
            lines(
                "Attempts",
                "Handle asked for, group tried, how it ended",
                {
                    "{{handle}} at {{target}}: {{outcome}}": "sum by (handle, target, outcome) "
                    f"(rate(homelab_attempts_total[{RATE}])) > 0"
                },
                "reqps",
                stacked=True,
            ),
            lines(
                "Time lost on failed rungs",
                "Seconds before the attempt that answered, per request that failed over",
                {
                    "{{handle}}": f"sum by (handle) (rate(homelab_failover_seconds_sum[{RATE}]))"
                    f" / sum by (handle) (rate(homelab_failover_seconds_count[{RATE}]))"
                },
                "s",
            ),
        ],
    )


def _backends(page: Dashboard) -> None:
    row(
        page,
        "Backends",
        [
            lines(
                "State",
                "Backends that are followed, each with the state that it is in",
                {"{{backend}}: {{state}}": "max by (backend, state) (homelab_backend_state) > 0"},
            ),
            lines(
                "Probes",
                "What probes of backends see, per minute",
                {
                    "{{backend}}: {{outcome}}": "sum by (backend, outcome) "
                    f"(rate(homelab_backend_probes_total[{RATE}])) * 60"
                },
            ),
            lines(
                "Wakes",
                "Times that a backend was woken, or could not be",
                {
                    "{{backend}}: {{outcome}}": "sum by (backend, outcome) "
                    f"(increase(homelab_wakes_total[{RATE}])) or vector(0)"
                },
            ),
            lines(
                "Slots in use",
                "Share of the requests that a backend may serve at a time; at 100 % further ones wait",
                {
                    "{{backend}}": "sum by (backend) (homelab_slots_used)"
                    " / on (backend) max by (backend) (homelab_slots)"
                },
                "percentunit",
            ),
            lines(
                "Waiting",
                "Requests that wait for a slot, and how many may; a full queue refuses or falls back",
                {
                    "{{backend}}": "sum by (backend) (homelab_queue_length)",
                    "{{backend}} may wait": "max by (backend) (homelab_queue_limit)",
                },
            ),
            lines(
                "Time in the queue, p95",
                "Of requests that had to wait, by backend and priority",
                {
                    "{{backend}} {{priority}}": "histogram_quantile(0.95, sum by (backend, priority, le) "
                    f"(rate(homelab_queue_seconds_bucket[{RATE}])))"
                },
                "s",
            ),
            lines(
                "Refused because a backend is busy",
                "Requests with no fallback left (429 backend_busy)",
                {
                    "refused": f"sum(increase(homelab_refusals_total{{type='backend_busy'}}[{RATE}]))"
                    " or vector(0)"
                },
            ),
            lines(
                "Timeouts",
                "Attempts and streams that a limit of homelab.timeouts ended",
                {
                    "{{handle}}: {{limit}}": "sum by (handle, limit) "
                    f"(increase(homelab_timeouts_total[{RATE}])) > 0"
                },
            ),
        ],
    )


def _quotas(page: Dashboard) -> None:
    row(
        page,
        "Quotas",
        [
            lines(
                "Used",
                "Share of each window's limit; at 100 % the chain goes on without the provider",
                {"{{quota}} {{window}}": "max by (quota, window) (homelab_quota_used / homelab_quota_limit)"},
                "percentunit",
            ),
            lines(
                "Time to reset",
                "Seconds until the window's reset",
                {"{{quota}} {{window}}": "min by (quota, window) (homelab_quota_reset_seconds)"},
                "s",
            ),
            lines(
                "Used up in",
                "Time until a day, week or month will be used up at its rate so far; "
                "0 where it is used up already, and where it resets before",
                {
                    "{{quota}} {{window}}": "clamp_min(max by (quota, window) "
                    "(homelab_quota_used_up_timestamp_seconds) - time(), 0)"
                },
                "s",
            ),
            lines(
                "Learned",
                "What providers' answers said of their limits; unknown changed nothing",
                {
                    "{{quota}}: {{source}}": "sum by (quota, source) "
                    f"(increase(homelab_quota_learned_total[{RATE}])) > 0"
                },
            ),
        ],
    )


def _rules(page: Dashboard) -> None:
    row(
        page,
        "Rules",
        [
            lines(
                "Refused, by rule and type",
                "Requests that a rule turned away",
                {"{{rule}}: {{type}}": f"sum by (rule, type) (rate(homelab_refusals_total[{RATE}])) > 0"},
                "reqps",
                stacked=True,
            ),
            lines(
                "Refused, by caller",
                "other: no key, or an unknown one",
                {"{{caller}}": f"sum by (caller) (rate(homelab_refusals_total[{RATE}]))"},
                "reqps",
                stacked=True,
            ),
            lines(
                "Our own time, p99 by hook",
                "What our rules add to a request",
                {
                    "{{hook}}": "histogram_quantile(0.99, sum by (hook, le) "
                    f"(rate(homelab_hook_seconds_bucket[{RATE}])))"
                },
                "s",
            ),
            lines(
                "Rules that broke",
                "Each refused a request with policy_error",
                {"{{rule}}": f"sum by (rule) (increase(homelab_rule_errors_total[{RATE}]))"},
            ),
        ],
    )
