"""Where the counters cannot be read, the OptiLLM lane is closed, and nothing else is."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from litellm_homelab.optillm import lineage
from litellm_homelab.testing import MockProxy
from tests.adapter.lane import TEXT, document, group, key_of, proxy_on

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("quiet")]

SECRET = "the-secret-of-this-test"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MockProxy]:
    """A gateway whose Redis is not there: the port is taken and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        made = document(
            [group("main"), group("base"), group("boost", "openai/base")],
            {"boost": {"approaches": ["none", "re2"]}},
            state=f"redis://127.0.0.1:{taken.getsockname()[1]}/0",
        )
        made["homelab"]["secret"] = SECRET
        async with proxy_on(tmp_path_factory.mktemp("config"), made) as running:
            yield running


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_root_is_refused(proxy: MockProxy, stream: bool) -> None:
    """Nothing leaves for OptiLLM whose calls could not be counted."""
    answer = await proxy.chat("boost", stream=stream)
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", []), answer.text
    assert answer.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_child_is_refused(proxy: MockProxy, stream: bool) -> None:
    """Whether its root goes on is not known."""
    mark = lineage.mint(SECRET, lineage.new_root(), 1, time.time() + 60)
    body = {"model": f"base{mark}", "messages": TEXT, "stream": stream}
    answer = await proxy.post("/v1/chat/completions", body, headers=key_of("optillm"))
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", []), answer.text


async def test_optillms_way_back_is_refused(proxy: MockProxy) -> None:
    """Its own key does not open an OptiLLM handle because the refusal cannot be counted."""
    body = {"model": "boost", "messages": TEXT}
    answer = await proxy.post("/v1/chat/completions", body, headers=key_of("optillm"))
    assert (answer.status, answer.error["type"], answer.sent_to) == (503, "policy_error", []), answer.text


async def test_every_other_handle_is_served(proxy: MockProxy) -> None:
    """A model server needs no counters; nor does a call of OptiLLM that belongs to no root."""
    assert (await proxy.chat("main")).sent_to == ["main"]
    body = {"model": "base", "messages": TEXT}
    answer = await proxy.post("/v1/chat/completions", body, headers=key_of("optillm"))
    assert (answer.status, answer.sent_to) == (200, ["base"])
