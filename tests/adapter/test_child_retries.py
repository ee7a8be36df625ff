"""OptiLLM's calls are not retried by the gateway: OptiLLM's own client asks three times already."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from litellm_homelab.optillm import lineage
from litellm_homelab.optillm.fanout import RootRecord
from litellm_homelab.optillm.ledger import Ledger
from litellm_homelab.state import Location, connect
from litellm_homelab.testing import MockProxy
from tests.adapter.lane import TEXT, document, group, key_of, proxy_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

SECRET = "the-secret-of-this-test"
POLICY = {"InternalServerErrorRetries": 2, "ServiceUnavailableErrorRetries": 2, "RateLimitErrorRetries": 2}
ROUTES: dict[str, tuple[str, dict[str, object]]] = {
    "chat": ("/v1/chat/completions", {"messages": TEXT}),
    "completions": ("/v1/completions", {"prompt": "hello"}),
    "responses": ("/v1/responses", {"input": "hello"}),
    "messages": ("/v1/messages", {"messages": TEXT, "max_tokens": 20}),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[MockProxy, str]]:
    """A gateway whose file retries everything three times over, and the mark of a root under way."""
    folder = tmp_path_factory.mktemp("config")
    made = document(
        [group("main"), group("base", num_retries=3), group("boost", "openai/base")],
        {"boost": {"approaches": ["none", "re2"], "max_calls": 500}},
        state="sqlite:///roots.db",
    )
    made["homelab"]["secret"] = SECRET
    made["router_settings"] |= {
        "num_retries": 3,
        "retry_policy": POLICY,
        "model_group_retry_policy": {"base": {"DefaultRetries": 4, **POLICY}},
    }
    ledger = Ledger(connect(Location("sqlite", str(folder / "roots.db"))))
    root, now = lineage.new_root(), time.time()
    async with proxy_on(folder, made) as proxy:
        await ledger.open(RootRecord(root, "boost", "re2", 500, now, now + 600))
        yield proxy, lineage.mint(SECRET, root, 1, now + 600)


@pytest.mark.parametrize("fault", ["500", "503", "429", "drop"])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("marked", [True, False], ids=["child", "orphan"])
async def test_one_call_of_optillm_is_one_call_to_the_backend(
    gateway: tuple[MockProxy, str], route: str, fault: str, marked: bool
) -> None:
    """Whatever the file says of retries, and on every route."""
    proxy, mark = gateway
    upstream, (path, body) = proxy.upstream("base"), ROUTES[route]
    upstream.fails(fault)
    answer = await proxy.post(
        path, {"model": f"base{mark if marked else ''}", **body}, headers=key_of("optillm")
    )
    upstream.works()
    assert answer.status >= 400
    assert answer.sent_to == ["base"]


async def test_other_callers_keep_the_retries_of_the_file(gateway: tuple[MockProxy, str]) -> None:
    """A plain handle is retried as its file says."""
    proxy, _ = gateway
    proxy.upstream("main").fails("500", times=1)
    answer = await proxy.chat("main")
    assert (answer.status, answer.sent_to) == (200, ["main", "main"])
