"""Whether an attempt was really sent is known at the transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import litellm
import pytest
import pytest_asyncio
from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab.adapter import context
from litellm_homelab.adapter.stats import Attempt
from litellm_homelab.testing import MockProxy
from tests import naming

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Spy(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Keeps the attempts of the last request; may break what LiteLLM is about to send."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: list[Attempt] = []
        self.breaks = False

    async def async_pre_call_deployment_hook(
        self, kwargs: dict[str, Any], call_type: Any
    ) -> dict[str, Any] | None:
        """Make LiteLLM raise before it sends."""
        self.attempts = context.required().stats.attempts
        return {**kwargs, "model": "unknown-provider/x", "custom_llm_provider": None} if self.breaks else None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """One mocked proxy on the naming router."""
    async with MockProxy(naming.ROUTER) as running:
        yield running


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_attempt_that_was_sent_is_on_the_wire(proxy: MockProxy, path: str, stream: bool) -> None:
    """Sent once, noted once, on every route, streamed or not."""
    spy = Spy()
    litellm.callbacks.append(spy)
    answer = await proxy.post(path, {**naming.BODIES[path], "model": "main", "stream": stream})
    litellm.callbacks.remove(spy)
    assert (answer.status, answer.sent_to) == (200, ["main"]), answer.text
    assert [(one.target, one.on_wire) for one in spy.attempts] == [("main", True)]


async def test_an_attempt_that_litellm_did_not_send_is_not(proxy: MockProxy) -> None:
    """What LiteLLM raises before it sends leaves nothing on the wire."""
    spy = Spy()
    spy.breaks = True
    litellm.callbacks.append(spy)
    answer = await proxy.chat("main")
    litellm.callbacks.remove(spy)
    assert answer.sent_to == []
    assert not any(one.on_wire for one in spy.attempts)
