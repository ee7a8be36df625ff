"""Who may be reached by which name, through the mocked proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests import naming
from tests.naming import Case

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """One mocked proxy on the naming router for the whole table."""
    async with MockProxy(naming.ROUTER) as running:
        yield running


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in naming.cases()])
async def test_a_name_leads_to_its_own_group_or_nowhere(proxy: MockProxy, case: Case) -> None:
    """A handle reaches its own upstream; any other way of naming a model is refused before any call."""
    answer = await proxy.request(case.method, case.path, json=case.body, headers=case.headers)
    assert (answer.status, answer.sent_to) == (case.status, list(case.sent_to)), answer.text
    if case.refused:
        assert case.refused in answer.text or answer.json["type"] == "error", answer.text


async def test_a_backroom_name_and_no_name_at_all_are_told_the_same(proxy: MockProxy) -> None:
    """The refusal of a backroom, an internal and an unknown name differ in the name alone."""
    texts = {name: (await proxy.chat(name)).text for name in ("back", "rung", "nowhere", "id-back")}
    assert len({text.replace(name, "NAME", 1) for name, text in texts.items()}) == 1


async def test_a_refusal_lists_what_may_be_used(proxy: MockProxy) -> None:
    """The message of a 404 lists the handles, hidden names left out."""
    message = (await proxy.chat("nowhere")).error["message"]
    assert message == (
        "The model 'nowhere' does not exist or you may not use it. You may use: main, embed, plain."
    )


async def test_a_fallback_of_the_operator_is_followed(proxy: MockProxy) -> None:
    """An internal group is reached when a handle's own upstream fails, and the answer names the handle."""
    proxy.upstream("main").fails(500)
    try:
        answer = await proxy.chat("main")
    finally:
        proxy.upstream("main").works()
    assert (answer.status, answer.sent_to, answer.json["model"]) == (200, ["main", "rung"], "main")


async def test_listings_show_the_handles_in_their_order(proxy: MockProxy) -> None:
    """Every listing route shows exactly the handles."""
    listing = (await proxy.get("/v1/models")).json["data"]
    assert [one["id"] for one in listing] == ["main", "embed", "plain"]
    for path, key in (
        ("/model/info", "model_name"),
        ("/v1/model/info", "model_name"),
        ("/model_group/info", "model_group"),
    ):
        shown = {one[key] for one in (await proxy.get(path)).json["data"]}
        assert shown == {"main", "embed", "plain"}, path
    assert (await proxy.get("/v1/models/main")).status == 200
    for name in ("back", "rung", naming.HIDDEN, "nowhere"):
        assert (await proxy.get(f"/v1/models/{name}")).status == 404
