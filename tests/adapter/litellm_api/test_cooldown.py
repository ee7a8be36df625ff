"""What rests a deployment, and what does not, with LiteLLM's router and its default for cooldowns."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from litellm.router_utils import cooldown_handlers

from litellm_homelab.adapter.litellm_api import cooldown
from litellm_homelab.config.settings import SettingsError
from litellm_homelab.testing import MockProxy
from tests.adapter.failing import ROUTER, ROUTES, ask, handle_of, resting

IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")
MISTAKES = ("400", "401", "402", "403", "404", "413", "422")
"""Statuses that an upstream gives to a request, not to everybody; LiteLLM rests for 401, 402 and 404."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """LiteLLM's own rule: one 404 is enough."""
    async with MockProxy(ROUTER) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each failure, which takes longer than the failure."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@IN_THE_LOOP
@pytest.mark.parametrize("route", ROUTES)
async def test_a_clients_mistake_rests_nothing(proxy: MockProxy, route: str) -> None:
    """The chain below fails alike; one is enough for LiteLLM. Afterwards the first group is asked."""
    handle = handle_of(route)
    groups = [handle, "rung" if handle in {"main", "strict"} else f"{handle}-rung"]
    for kind in MISTAKES:
        for group in groups:
            proxy.upstream(group).fails(kind)
        await ask(proxy, route)
        assert resting() == [], kind
    for group in groups:
        proxy.upstream(group).works()
    assert (await ask(proxy, route)).sent_to[0] == handle


@IN_THE_LOOP
async def test_mistakes_do_not_add_up_with_a_fault(proxy: MockProxy) -> None:
    """LiteLLM rests one of several deployments when most requests of a minute failed, 400s among them."""
    for kind, times in (("400", 12), ("500", 1)):
        proxy.upstream("pair").fails(kind)
        for _ in range(times):
            await proxy.chat("pair")
    proxy.upstream("pair").works()
    assert resting() == []


@pytest.mark.parametrize("module", [cooldown.HOME, *cooldown.ASKED_IN])
def test_a_litellm_that_counts_elsewhere_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """The check would be around nothing."""
    monkeypatch.delattr(f"{module}.{cooldown.NAME}")
    with pytest.raises(SettingsError, match=f"has no {module}.{cooldown.NAME}"):
        cooldown.install()


def test_the_check_is_put_in_once() -> None:
    """However often the entry points are loaded."""
    cooldown.install()
    before = cooldown_handlers.is_advisor_orchestration_failure
    cooldown.install()
    assert cooldown_handlers.is_advisor_orchestration_failure is before
