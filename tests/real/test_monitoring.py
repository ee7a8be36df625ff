"""Rules and dashboards against reality: a real Prometheus scrapes a real LiteLLM under load."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deploy.prometheus import ALERTS, RECORDING, rules
from tests.deploy.promql import DECLARED, PANELS, labels, metrics
from tests.real.gateway import Gateway
from tests.real.prometheus import Prometheus, prometheus

EXPRESSIONS = {
    **{rule.get("record") or rule["alert"]: rule["expr"] for rule in [*rules(RECORDING), *rules(ALERTS)]},
    **{f"{panel.id} {number}": expr for panel in PANELS for number, (expr, _) in enumerate(panel.queries)},
}
LITELLMS = sorted({name for expr in EXPRESSIONS.values() for name in metrics(expr)} - DECLARED.keys())
MADE_BY_RULES = frozenset({"handle"})
"""Labels that `label_replace` makes."""


def wait_in_a_queue(gateway: Gateway) -> None:
    """Six requests at once to the backend that has four slots."""
    gateway.demo.fault("vllm", "slow", seconds=1)
    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(lambda _: gateway.chat("vllm-qwen"), range(6))]
    gateway.demo.clear_fault()
    assert [one.status_code for one in answers] == [200] * 6
    assert sum("x-homelab-queue-seconds" in one.headers for one in answers) == 2


def load(gateway: Gateway) -> None:
    """Answers whole and streamed, with calls back; refusals; a loop; a failover; failures; a queue."""
    for stream in (False, True):
        # A field that is OptiLLM's, and is taken out.
        assert gateway.chat("main", optillm_approach="re2", stream=stream).status_code == 200
        assert gateway.chat("boost", optillm_approach="moa", stream=stream).status_code == 200
    assert gateway.chat("ollama-qwen").status_code == 404
    assert gateway.chat("boost", optillm_approach="executecode").status_code == 400
    optillm = {"Authorization": f"Bearer {gateway.environ['OPTILLM_UPSTREAM_KEY']}"}
    body = {"model": "boost", "messages": [{"role": "user", "content": "again"}]}
    assert gateway.post("/v1/chat/completions", body, headers=optillm).status_code == 400
    assert (
        gateway.post("/v1/chat/completions", body, headers={"Authorization": "Bearer no"}).status_code == 401
    )
    gateway.demo.fault("vllm", "500")
    assert gateway.chat("vllm-qwen").status_code == 200
    gateway.demo.clear_fault()
    gateway.demo.fault("mlx", "500")
    assert gateway.chat("fast").status_code == 500
    gateway.demo.clear_fault()
    wait_in_a_queue(gateway)
    gateway.demo.fault("cloud", "429", seconds=1)
    assert gateway.chat("groq/llama-3.3-70b-versatile").status_code == 429
    gateway.demo.clear_fault()
    gateway.demo.fault("ollama", "silent")
    assert gateway.chat("lil-jerry").status_code == 504
    gateway.demo.clear_fault()


@pytest.fixture(scope="module")
def monitored(_chained: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has seen the load twice, so that there are increases to see."""
    with prometheus(_chained, tmp_path_factory.mktemp("monitored")) as running:
        load(_chained)
        running.wait_for('litellm_output_tokens_metric_total{requested_model="ollama-qwen"}')
        load(_chained)
        running.wait_for("handle:litellm_output_tokens:rate5m{handle='ollama-qwen'} > 0")
        running.wait_for("rate(homelab_loops_total[1m]) > 0")
        running.wait_for("handle:homelab_first_token_seconds:p95_5m > 0")
        yield running


def test_the_gateway_is_up(monitored: Prometheus) -> None:
    """The scrape passes the gate with the key of a caller of role metrics; no alert about that."""
    assert [one["value"][1] for one in monitored.query('up{job="litellm-homelab"}')] == ["1"]
    assert monitored.query('ALERTS{alertname="HomelabGatewayDown"}') == []


@pytest.mark.parametrize("name", LITELLMS)
def test_a_series_of_litellms_exists(monitored: Prometheus, name: str) -> None:
    """What rules and panels ask of LiteLLM is there, with every label that they look at."""
    found = monitored.labels(name)
    assert found
    for expr in (expr for expr in EXPRESSIONS.values() if metrics(expr) == {name}):
        assert labels(expr) - MADE_BY_RULES <= set.intersection(*found)


@pytest.mark.parametrize(
    "expr",
    [
        pytest.param(expr.replace("$__rate_interval", "1m"), id=name)
        for name, expr in EXPRESSIONS.items()
        if not name.startswith("Homelab")
    ],
)
def test_a_query_returns_data(monitored: Prometheus, expr: str) -> None:
    """Every query of every panel, and every recording rule, gives a number once it has been evaluated."""
    monitored.wait_for(expr)
    assert monitored.query(expr)


@pytest.mark.parametrize("name", sorted(DECLARED.keys() - {rule["record"] for rule in rules(RECORDING)}))
def test_a_series_of_ours_exists(monitored: Prometheus, name: str) -> None:
    """What the package declares is there, with the labels that it declares."""
    found = monitored.labels(name)
    assert found
    assert all(DECLARED[name] <= labels for labels in found)


def test_the_loop_is_an_alert(monitored: Prometheus) -> None:
    """It fires, and the one for a spent budget does not."""
    monitored.wait_for('ALERTS{alertname="HomelabLoopBlocked", alertstate="firing"}')
    assert monitored.query('ALERTS{alertname=~"HomelabFanoutBudgetHit|HomelabRuleFailedClosed"}') == []
