"""LiteLLM's own series on the shipped router.yaml: hostile requests make no new ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

import pytest
import pytest_asyncio
from litellm.integrations.prometheus import PrometheusLogger
from litellm.litellm_core_utils import litellm_logging
from prometheus_client import REGISTRY
from prometheus_client.registry import Collector

from litellm_homelab.testing import MockProxy
from tests.config.shipped import FOLDER, ROUTER
from tests.deploy.promql import labels, metrics
from tests.real.test_monitoring import EXPRESSIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT: Final = [{"role": "user", "content": "hello"}]
CONTENTS: Final = [{"role": "user", "parts": [{"text": "hello"}]}]
TIMES: Final = 10
EXCLUDED: Final = frozenset(ROUTER["litellm_settings"]["prometheus_exclude_labels"])
DROPPED: Final = frozenset(ROUTER["litellm_settings"]["prometheus_exclude_metrics"])
Series = frozenset[tuple[str, tuple[tuple[str, str], ...]]]


@contextmanager
def fresh_logger() -> Iterator[None]:
    """
    LiteLLM's own logger of metrics made anew.

    It makes one in a process, whose labels are those of the first router.yaml that it started with.
    """
    loggers = litellm_logging._in_memory_loggers
    kept = [*loggers]
    loggers[:] = [one for one in kept if not isinstance(one, PrometheusLogger)]
    before = litellms()
    for collector in before:
        REGISTRY.unregister(collector)
    try:
        yield
    finally:
        for collector in litellms():
            REGISTRY.unregister(collector)
        for collector in before:
            REGISTRY.register(collector)
        loggers[:] = kept


def litellms() -> list[Collector]:
    """What LiteLLM has registered."""
    found = REGISTRY._collector_to_names.items()
    return [collector for collector, names in found if any(name.startswith("litellm_") for name in names)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """The mocked proxy on the configuration as shipped."""
    with fresh_logger():
        async with MockProxy(FOLDER / "router.yaml") as running:
            yield running


def series() -> Series:
    """Every series of LiteLLM's, the buckets of a histogram as one."""
    return frozenset(
        (sample.name, tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le")))
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name.startswith("litellm_") and not sample.name.endswith("_created")
    )


async def settled() -> Series:
    """The series once LiteLLM's background work is done: no new one for half a second."""
    before, now = None, series()
    while now != before:
        await asyncio.sleep(0.5)
        before, now = now, series()
    return now


async def hostile(proxy: MockProxy, word: str) -> None:
    """Requests with a word wherever a client writes one, with a key and with one that nobody has."""
    written = {
        **dict.fromkeys(("user-agent", "x-forwarded-for", "x-litellm-end-user-id"), word),
        **dict.fromkeys(("x-litellm-customer-id", "x-litellm-trace-id", "x-litellm-session-id"), word),
    }
    for key in ({}, {"Authorization": f"Bearer sk-{word}"}):
        headers = {**written, **key}
        for model in ("main", f"name-{word}"):
            for path, body in (
                ("/v1/chat/completions", {"model": model, "messages": TEXT, "user": word}),
                ("/v1/chat/completions", {"model": model, "messages": TEXT, "metadata": {"tags": [word]}}),
                ("/v1/responses", {"model": model, "input": "hello", "metadata": {word: word}}),
                ("/v1/messages", {"model": model, "messages": TEXT, "max_tokens": 9}),
                (f"/v1beta/models/{model}:generateContent", {"contents": CONTENTS}),
                (f"/v1/search/{word}", {"query": word}),
                (f"/openai/deployments/{model}/chat/completions", {"messages": TEXT}),
                (f"/{word}", {}),
            ):
                await proxy.post(path, body, headers=headers)
        for path in (f"/v1/models/{word}", f"/v1/files/{word}", f"/v1/responses/{word}"):
            await proxy.get(path, headers=headers)


async def test_hostile_requests_make_no_series_of_litellms(proxy: MockProxy, quiet: None) -> None:
    """Names, paths, addresses, user agents, users, tags, keys: each made some on stock settings."""
    await hostile(proxy, "first")
    before = await settled()
    for number in range(TIMES):
        await hostile(proxy, f"word{number}")
    assert await settled() == before


async def test_the_excluded_are_gone_and_the_rest_is_there(proxy: MockProxy) -> None:
    """Failed requests and answers are still told by handle."""
    await proxy.chat("main")
    found = await settled()
    assert not {name for _, pairs in found for name, _ in pairs} & EXCLUDED
    assert not [name for name, _ in found if name.removesuffix("_total") in DROPPED]
    counted = {
        dict(pairs).get("requested_model") for name, pairs in found if name == "litellm_requests_metric_total"
    }
    assert "main" in counted


@pytest.mark.parametrize("expr", EXPRESSIONS.values(), ids=EXPRESSIONS)
async def test_no_rule_and_no_panel_asks_for_what_is_excluded(expr: str) -> None:
    """Neither a label nor a metric that the shipped router.yaml leaves out."""
    assert not labels(expr) & EXCLUDED
    assert not {name.removesuffix("_total") for name in metrics(expr)} & DROPPED
