"""The naming table through a real LiteLLM process, and against the mocked proxy."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from litellm_homelab.testing import MockProxy
from litellm_homelab.testing.upstream import Upstreams
from tests import naming
from tests.naming import Case
from tests.real.gateway import free_port, litellm
from tests.real.upstreams import listening

pytestmark = pytest.mark.real


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there is to compare of one request: the answer and the upstreams that were called."""

    status: int
    sent_to: tuple[str, ...]
    text: str


class RealProxy:
    """A real LiteLLM on the naming router, with recording upstreams."""

    def __init__(self, client: httpx.Client, upstreams: Upstreams) -> None:
        self._client = client
        self._recorder = upstreams.recorder

    def ask(self, case: Case) -> Outcome:
        """Send one request."""
        before = self._recorder.requests()
        last = before[-1].number if before else 0
        answer = self._client.request(case.method, case.path, json=case.body, headers=case.headers)
        called = tuple(call.backend for call in self._recorder.requests() if call.number > last)
        return Outcome(answer.status_code, called, answer.text)


@pytest.fixture(scope="module")
def proxy() -> Iterator[RealProxy]:
    """One LiteLLM process for the whole table."""
    upstreams, port, key = Upstreams(), free_port(), f"sk-{secrets.token_urlsafe(16)}"
    with listening(upstreams) as base:
        bases = {name: f"{base}{upstreams.path(group)}/v1" for group, name in naming.ENVIRON.items()}
        environ = {**bases, "LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        headers = {"Authorization": f"Bearer {key}"}
        with (
            litellm(naming.ROUTER, port, environ),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client,
        ):
            yield RealProxy(client, upstreams)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in naming.cases()])
def test_a_name_leads_to_its_own_group_or_nowhere(proxy: RealProxy, case: Case) -> None:
    """On the real proxy too, a name reaches its own upstream, or is refused before any call."""
    outcome = proxy.ask(case)
    assert (outcome.status, outcome.sent_to) == (case.status, case.sent_to), outcome.text


async def test_the_mocked_proxy_agrees_with_the_real_one(proxy: RealProxy) -> None:
    """Every case of the table has the same status, the same calls and, refused, the same body in both."""
    differences = []
    async with MockProxy(naming.ROUTER) as mocked:
        for case in naming.cases():
            real = proxy.ask(case)
            mock = await mocked.request(case.method, case.path, json=case.body, headers=case.headers)
            same = Outcome(mock.status, tuple(mock.sent_to), mock.text if case.refused else real.text)
            if same != real:
                differences.append((case.id, real, same))
    assert differences == []
