"""What rests a deployment, whatever router.yaml says: each test has a router of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from litellm_homelab.testing import MockProxy
from tests.adapter.failing import CHAINED, ask, changed, handle_of, resting
from tests.config import shipped

FAULTS = ("500", "502", "503", "429", "down", "drop")
NAMED = dict.fromkeys(shipped.ROUTER["router_settings"]["allowed_fails_policy"], 2)
"""Every kind of failure that the shipped router.yaml names; mistakes among them, which do not count."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each failure, which takes longer than the failure."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"allowed_fails": 2}, id="allowed_fails"),
        pytest.param({"allowed_fails": 0}, id="none allowed"),
        pytest.param({"allowed_fails_policy": {"NotFoundErrorAllowedFails": 0}}, id="a policy"),
    ],
)
async def test_no_setting_makes_mistakes_count(tmp_path: Path, settings: dict[str, object]) -> None:
    """Neither alone nor on top of faults: two 500s are two failures, however many 404s came before."""
    with changed(tmp_path, **settings) as config:
        async with MockProxy(config) as proxy:
            proxy.upstream("main").fails("404")
            for _ in range(6):
                await proxy.chat("main")
            assert resting() == []


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_fault_of_the_server_rests_it(tmp_path: Path, kind: str) -> None:
    """As before: `allowed_fails` and one more, on every kind of route that the router counts."""
    with changed(tmp_path, allowed_fails=2, disable_cooldowns=False) as config:
        async with MockProxy(config) as proxy:
            for _ in range(6):  # mistakes first, which do not count
                proxy.upstream("main").fails("404")
                await proxy.chat("main")
            proxy.upstream("main").fails(kind)
            await proxy.chat("main")
            await proxy.chat("main")
            assert resting() == []
            await proxy.chat("main")
            assert resting() == ["main"]


@pytest.mark.parametrize("route", CHAINED)
async def test_a_fault_rests_it_on_every_route(tmp_path: Path, route: str) -> None:
    """A 503 to each of three requests."""
    with changed(tmp_path, allowed_fails=2) as config:
        async with MockProxy(config) as proxy:
            handle = handle_of(route)
            proxy.upstream(handle).fails("503")
            for _ in range(3):
                await ask(proxy, route)
            assert handle in resting()


async def test_a_fault_of_a_fallback_rests_the_fallback(tmp_path: Path) -> None:
    """Its mistakes do not. The last one has no fallback: from 1.108 on the kind has to be named for it."""
    with changed(tmp_path, allowed_fails=2, allowed_fails_policy=NAMED) as config:
        async with MockProxy(config) as proxy:
            for first, second, expected in (
                ("404", "404", []),
                ("503", "404", ["main"]),
                ("404", "503", ["rung"]),
            ):
                proxy.upstream("main").fails(first)
                proxy.upstream("rung").fails(second)
                before = set(resting())
                for _ in range(3):
                    await proxy.chat("main")
                assert sorted(set(resting()) - before) == expected


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_lone_deployment_rests_for_the_kinds_that_are_named(tmp_path: Path, kind: str) -> None:
    """One without a fallback, as most handles of the shipped router.yaml are; mistakes do not rest it."""
    with changed(tmp_path, allowed_fails=2, allowed_fails_policy=NAMED, fallbacks=[]) as config:
        async with MockProxy(config) as proxy:
            for _ in range(4):
                proxy.upstream("main").fails("404")
                await proxy.chat("main")
            assert resting() == []
            proxy.upstream("main").fails(kind)
            for _ in range(3):
                await proxy.chat("main")
            assert resting() == ["main"]
