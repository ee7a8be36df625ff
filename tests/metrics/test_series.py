"""The package's series: what each event counts, how many there can be, how workers add up."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from litellm_homelab.backends.presence import BackendState, ProbeOutcome
from litellm_homelab.config.loading import parse
from litellm_homelab.config.settings import Known
from litellm_homelab.decision import RefusalType
from litellm_homelab.metrics.labels import ACTIONS, HOOKS, KINDS, OTHER, OUTCOMES, RULES, Labels
from litellm_homelab.metrics.series import COUNTERS, HISTOGRAMS, Metrics

LABELS = Labels(
    groups=("main", "boost", "base"),
    callers=("master", "app"),
    lanes={"boost": ("none", "moa")},
    chains={"main": ("main", "base", "boost")},
    slots={"gpu": 2},
    followed=("gpu",),
    queues={"gpu": 20},
    quotas=("groq",),
    quota_limits={("groq", "requests/day"): 1000},
)
ROUTER = """
homelab:
  showroom: {handles: [main, boost, chain], internal: [base]}
  callers: {app: {key: sk-app-app-app}, optillm: {key: sk-optillm-optillm, role: optillm}}
  optillm: {boost: {approaches: [none, re2]}}
  state: memory://
model_list:
  - &one {model_name: main, litellm_params: {model: openai/a, api_base: "http://127.0.0.1:9/v1"}}
  - {<<: *one, model_name: base}
  - {<<: *one, model_name: chain}
  - {model_name: boost, litellm_params: {model: openai/base, api_base: "http://127.0.0.1:8/v1"}}
router_settings: {fallbacks: [{chain: [boost, base]}]}
litellm_settings:
  callbacks:
    - litellm_homelab.plugin
general_settings: {master_key: sk-master-master, custom_auth: litellm_homelab.gate}
"""


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry of the test's own."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    """The metrics of a small configuration."""
    return Metrics(LABELS, registry)


def series(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample's value by name and labels, times of creation aside."""
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }


EVENTS: list[tuple[Callable[[Metrics], None], str, dict[str, str], float]] = [
    (
        lambda m: m.refused("gate", RefusalType.AUTHENTICATION_ERROR, None, OTHER),
        "homelab_refusals_total",
        {"rule": "gate", "type": "authentication_error", "handle": OTHER, "caller": OTHER},
        1,
    ),
    (
        lambda m: m.approach("boost", "moa", "run"),
        "homelab_approach_requests_total",
        {"handle": "boost", "approach": "moa", "action": "run"},
        1,
    ),
    (
        lambda m: m.stripped("main", ["mcts_depth", "extra_body"]),
        "homelab_fields_stripped_total",
        {"handle": "main", "field": "extra_body"},
        1,
    ),
    (
        lambda m: m.children("boost", "moa", 3),
        "homelab_optillm_children_sum",
        {"handle": "boost", "approach": "moa"},
        3,
    ),
    (
        lambda m: m.tokens("boost", "moa", 40, 2),
        "homelab_optillm_tokens_total",
        {"handle": "boost", "approach": "moa", "kind": "prompt"},
        40,
    ),
    (
        lambda m: m.tokens("boost", "moa", 40, 2),
        "homelab_optillm_tokens_total",
        {"handle": "boost", "approach": "moa", "kind": "completion"},
        2,
    ),
    (lambda m: m.orphan(), "homelab_orphans_total", {}, 1),
    (lambda m: m.loop("boost"), "homelab_loops_total", {"handle": "boost"}, 1),
    (
        lambda m: m.attempt("main", "base", "answered"),
        "homelab_attempts_total",
        {"handle": "main", "target": "base", "outcome": "answered"},
        1,
    ),
    (
        lambda m: m.queued("gpu", "high", 1.5),
        "homelab_queue_seconds_sum",
        {"backend": "gpu", "priority": "high"},
        1.5,
    ),
    (
        lambda m: m.timed_out("main", "idle"),
        "homelab_timeouts_total",
        {"handle": "main", "limit": "idle"},
        1,
    ),
    (
        lambda m: m.quota_learned("groq", "header"),
        "homelab_quota_learned_total",
        {"quota": "groq", "source": "header"},
        1,
    ),
    (
        lambda m: m.probed("gpu", ProbeOutcome.BUSY),
        "homelab_backend_probes_total",
        {"backend": "gpu", "outcome": "busy"},
        1,
    ),
    (
        lambda m: m.woken("gpu", "sent"),
        "homelab_wakes_total",
        {"backend": "gpu", "outcome": "sent"},
        1,
    ),
    (lambda m: m.rule_error("showroom"), "homelab_rule_errors_total", {"rule": "showroom"}, 1),
    (lambda m: m.hook("pre_call", 0.25), "homelab_hook_seconds_sum", {"hook": "pre_call"}, 0.25),
    (lambda m: m.failed_over("main", 2.5), "homelab_failover_seconds_sum", {"handle": "main"}, 2.5),
    (lambda m: m.first_token("main", 0.5), "homelab_first_token_seconds_sum", {"handle": "main"}, 0.5),
    (lambda m: m.speed("main", 42.0), "homelab_output_tokens_per_second_sum", {"handle": "main"}, 42.0),
]


@pytest.mark.parametrize(
    ("event", "name", "labels", "value"),
    [pytest.param(*one, id=f"{one[1]}-{one[2].get('kind', '')}".rstrip("-")) for one in EVENTS],
)
def test_an_event_counts_in_its_series(
    registry: CollectorRegistry,
    metrics: Metrics,
    event: Callable[[Metrics], None],
    name: str,
    labels: Mapping[str, str],
    value: float,
) -> None:
    """Each event adds to the series that has its name and labels."""
    before = registry.get_sample_value(name, dict(labels)) or 0
    event(metrics)
    assert registry.get_sample_value(name, dict(labels)) == before + value


def test_a_quota_is_shown(registry: CollectorRegistry, metrics: Metrics) -> None:
    """Its limit from the start; what is used and when it resets with each attempt."""
    labels = {"quota": "groq", "window": "requests/day"}

    def shown() -> list[float | None]:
        names = ("used", "limit", "reset_seconds")
        return [registry.get_sample_value(f"homelab_quota_{name}", labels) for name in names]

    assert shown()[:2] == [0, 1000]
    metrics.quota("groq", "requests/day", 7, 14_400, 3600.0)
    assert shown() == [7, 14_400, 3600]


def test_a_backend_is_in_one_state(registry: CollectorRegistry, metrics: Metrics) -> None:
    """Unknown from the start; each new state takes the place of the one before."""

    def states() -> list[str]:
        labels = [{"backend": "gpu", "state": one.value} for one in BackendState]
        return [one["state"] for one in labels if registry.get_sample_value("homelab_backend_state", one)]

    assert states() == ["unknown"]
    metrics.backend_state("gpu", BackendState.ABSENT)
    assert states() == ["absent"]


def test_every_metric_is_fed_by_an_event() -> None:
    """No counter and no histogram is declared that nothing adds to."""
    fed = {name.removesuffix("_sum") for _, name, _, _ in EVENTS}
    assert fed == {*COUNTERS, *HISTOGRAMS}


def test_without_a_registry_nothing_is_counted() -> None:
    """Metrics that nobody shows take every event and keep nothing."""
    silent = Metrics(LABELS)
    for event, *_ in EVENTS:
        event(silent)
    assert not vars(silent)["_counters"]
    assert not vars(silent)["_histograms"]


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        pytest.param(
            lambda m: m.refused("gate", RefusalType.MODEL_NOT_FOUND, "gpt-5", "eve"),
            "homelab_refusals_total",
            {"rule": "gate", "type": "model_not_found", "handle": OTHER, "caller": OTHER},
            id="handle and caller",
        ),
        pytest.param(
            lambda m: m.approach("boost", "re2&moa&none", "refused"),
            "homelab_approach_requests_total",
            {"handle": "boost", "approach": OTHER, "action": "refused"},
            id="combination of approaches",
        ),
        pytest.param(
            lambda m: m.stripped("main", ["my_field"]),
            "homelab_fields_stripped_total",
            {"handle": "main", "field": OTHER},
            id="field",
        ),
        pytest.param(
            lambda m: m.attempt("main", None, "answered"),
            "homelab_attempts_total",
            {"handle": "main", "target": OTHER, "outcome": "answered"},
            id="no group",
        ),
    ],
)
def test_what_the_configuration_does_not_name_is_other(
    registry: CollectorRegistry,
    metrics: Metrics,
    event: Callable[[Metrics], None],
    name: str,
    labels: Mapping[str, str],
) -> None:
    """A name that stands nowhere in the configuration is counted as `other`."""
    event(metrics)
    assert registry.get_sample_value(name, dict(labels)) == 1


# --- cardinality -----------------------------------------------------------------------------------


def everything(metrics: Metrics, names: Mapping[str, list[str]]) -> None:
    """Every event with every combination of values."""
    types = [*RefusalType]
    for rule, kind, handle, caller in product(names["rule"], types, names["handle"], names["caller"]):
        metrics.refused(rule, kind, handle, caller)
    for handle, approach in product(names["handle"], names["approach"]):
        metrics.children(handle, approach, 1)
        metrics.tokens(handle, approach, 1, 1)
        for action in names["action"]:
            metrics.approach(handle, approach, action)
    for handle in names["handle"]:
        metrics.stripped(handle, names["field"])
        metrics.loop(handle)
        metrics.failed_over(handle, 1)
        metrics.first_token(handle, 1)
        metrics.speed(handle, 1)
        for target, outcome in product(names["handle"], names["outcome"]):
            metrics.attempt(handle, target, outcome)
    for rule in names["rule"]:
        metrics.rule_error(rule)
    for hook in names["hook"]:
        metrics.hook(hook, 1)
    metrics.orphan()


def test_a_hundred_thousand_hostile_names_make_no_series(
    registry: CollectorRegistry, metrics: Metrics
) -> None:
    """Whatever clients write into names, the series stay those of the configuration."""
    everything(metrics, {label: [*values, OTHER] for label, values in LABELS.values().items()})
    before = series(registry).keys()
    dice = random.Random(5)
    for number in range(100_000):
        name = dice.choice(("main", "moa", "app", "", "other ", "\n", "\0")) + str(number)
        match number % 5:
            case 0:
                metrics.refused("showroom", RefusalType.MODEL_NOT_FOUND, name, name)
            case 1:
                metrics.approach(name, name, "refused")
            case 2:
                metrics.stripped(name, [name])
            case 3:
                metrics.attempt(name, name, "failed")
            case _:
                metrics.children(name, name, 1)
                metrics.tokens(name, name, 1, 1)
    assert series(registry).keys() == before


@given(
    handle=st.text() | st.none(), caller=st.text(), approach=st.text(), names=st.lists(st.text(), max_size=3)
)
def test_a_label_has_a_configured_value_or_other(
    handle: str | None, caller: str, approach: str, names: list[str]
) -> None:
    """No text gets into a label that is not the configuration's or this package's."""
    registry = CollectorRegistry()
    metrics = Metrics(LABELS, registry)
    metrics.refused("gate", RefusalType.MODEL_NOT_FOUND, handle, caller)
    metrics.children(handle or "", approach, 1)
    metrics.tokens(handle or "", approach, 1, 1)
    metrics.stripped(handle, names)
    metrics.attempt(handle, handle, approach)
    metrics.rule_error(approach)
    allowed = LABELS.values()
    for _, labels in series(registry):
        known = {**allowed, "window": {window for _, window in LABELS.quota_limits}}
        assert all(value in {*known[name], OTHER} for name, value in labels if name != "le")


# --- what is there from the start ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        pytest.param("homelab_loops_total", {"handle": "boost"}, id="loop"),
        pytest.param("homelab_rule_errors_total", {"rule": "approach"}, id="rule error"),
        pytest.param(
            "homelab_refusals_total",
            {"rule": "loop_guard", "type": "fanout_exceeded", "handle": "boost", "caller": "app"},
            id="fan-out",
        ),
        pytest.param(
            "homelab_refusals_total",
            {"rule": "gate", "type": "authentication_error", "handle": OTHER, "caller": OTHER},
            id="unknown key",
        ),
        pytest.param(
            "homelab_attempts_total",
            {"handle": "main", "target": "boost", "outcome": "answered"},
            id="last rung",
        ),
        pytest.param(
            "homelab_optillm_children_count", {"handle": "boost", "approach": "none"}, id="children"
        ),
    ],
)
def test_what_alerts_look_at_is_there_from_the_start(
    registry: CollectorRegistry, metrics: Metrics, name: str, labels: Mapping[str, str]
) -> None:
    """A series that an alert watches begins with 0, so that Prometheus sees its first increase."""
    assert registry.get_sample_value(name, dict(labels)) == 0


def test_a_chain_tells_how_many_rungs_are_left(registry: CollectorRegistry, metrics: Metrics) -> None:
    """The last rung of a chain has 0 below it; a handle without a chain is not shown."""
    chains = "homelab_chain_rungs_left"
    assert {labels: value for (name, labels), value in series(registry).items() if name == chains} == {
        (("handle", "main"), ("target", "main")): 2,
        (("handle", "main"), ("target", "base")): 1,
        (("handle", "main"), ("target", "boost")): 0,
    }


def test_slots_are_shown_from_the_start(registry: CollectorRegistry, metrics: Metrics) -> None:
    """A backend's limit does not change; what is used of it, and who waits, is each worker's to say."""
    here = {"backend": "gpu"}
    names = ("homelab_slots", "homelab_queue_limit", "homelab_slots_used", "homelab_queue_length")
    assert [registry.get_sample_value(name, here) for name in names] == [2, 20, 0, 0]
    metrics.slots_used("gpu", 1)
    metrics.waiting("gpu", 3)
    assert [registry.get_sample_value(name, here) for name in names] == [2, 20, 1, 3]


def test_labels_are_read_off_the_settings() -> None:
    """Groups, callers, OptiLLM handles (also by fallback) and chains are the configuration's."""
    settings = parse(ROUTER, path="router.yaml", environ={}, known=Known())
    assert Labels.of(settings) == Labels(
        groups=("main", "base", "chain", "boost"),
        callers=("master", "app", "optillm"),
        lanes={"chain": ("none", "re2"), "boost": ("none", "re2")},
        chains={"chain": ("chain", "boost", "base")},
    )


def test_values_of_this_package_are_told_apart_from_other() -> None:
    """`other` is never one of our own words for something."""
    assert all(OTHER not in words for words in (RULES, ACTIONS, OUTCOMES, KINDS, HOOKS))


# --- workers ---------------------------------------------------------------------------------------

WORKER = """
import prometheus_client
from litellm_homelab.metrics.labels import Labels
from litellm_homelab.metrics.series import Metrics
labels = Labels(groups=("main", "base"), chains={"main": ("main", "base")})
metrics = Metrics(labels, prometheus_client.CollectorRegistry())
for _ in range(%d):
    metrics.attempt("main", "base", "answered")
    metrics.first_token("main", 0.5)
"""


def test_workers_add_up(tmp_path: Path) -> None:
    """Counters and histograms of several workers are summed; the chain of each is the same."""
    for times in (3, 4):
        subprocess.run(
            [sys.executable, "-c", WORKER % times],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
            check=True,
            timeout=300,
        )
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(tmp_path))  # type: ignore[no-untyped-call]

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("homelab_attempts_total", handle="main", target="base", outcome="answered") == 7
    assert value("homelab_first_token_seconds_count", handle="main") == 7
    assert value("homelab_chain_rungs_left", handle="main", target="main") == 1
    assert value("homelab_chain_rungs_left", handle="main", target="base") == 0
