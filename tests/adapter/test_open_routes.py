"""What `homelab.gate.open` and `gate.ui` open works on a real request; the rest stays closed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from litellm_homelab.testing import MockProxy

ROUTER = Path(__file__).parents[1] / "routers" / "opened.yaml"
APP = {"Authorization": "Bearer sk-opened-app-1"}


@pytest.fixture
async def proxy() -> AsyncIterator[MockProxy]:
    """The gateway with opened routes."""
    async with MockProxy(ROUTER) as running:
        yield running


@pytest.mark.parametrize("path", ["/own/weather", "/own/weather/in/town"])
async def test_an_opened_pass_through_passes_through(proxy: MockProxy, path: str) -> None:
    """No rule of ours stands in its way: neither the name nor the fields of its body are ours to judge."""
    body = {"model": "whatever", "place": "here", "unknown_field": 1}
    answer = await proxy.post(path, body, headers=APP)
    assert answer.status not in {400, 401, 403, 500}, answer.text
    assert [call.json for call in answer.calls] == [body]


async def test_a_pass_through_that_is_not_opened_stays_closed(proxy: MockProxy) -> None:
    """Opening one opens no other."""
    answer = await proxy.post("/own/closed", {}, headers=APP)
    assert (answer.status, answer.error["type"], answer.calls) == (403, "route_not_allowed", ())


async def test_an_opened_route_needs_a_key(proxy: MockProxy) -> None:
    """LiteLLM's own check of keys holds there."""
    answer = await proxy.post("/own/weather", {}, headers={"Authorization": "Bearer sk-unknown"})
    assert (answer.status, answer.calls) == (401, ())


@pytest.mark.parametrize(
    "path",
    ["/ui/", "/litellm/.well-known/litellm-ui-config", "/get/ui_theme_settings", "/fallback/login"],
)
async def test_the_pages_of_the_admin_ui_are_open(proxy: MockProxy, path: str) -> None:
    """`gate.ui: true` opens what the UI asks for before anybody has logged in."""
    answer = await proxy.get(path, headers={"Authorization": ""})
    assert answer.status in {200, 307}, answer.text


async def test_management_stays_with_the_master_key(proxy: MockProxy) -> None:
    """`gate.ui` opens no route that manages anything."""
    answer = await proxy.post("/key/generate", {}, headers=APP)
    assert (answer.status, answer.error["type"]) == (403, "route_not_allowed")
