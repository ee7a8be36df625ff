"""The gate through the mocked proxy: which routes each key of the shipped configuration opens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from litellm_homelab.testing import MockProxy
from tests.config.shipped import FOLDER, ROUTER

IN_THE_LOOP = pytest.mark.asyncio(loop_scope="module")
KEYS = {name: f"sk-{name}-0001" for name in ROUTER["homelab"]["callers"]}
ENVIRON = {
    ROUTER["homelab"]["callers"][name]["key"].removeprefix("os.environ/"): key for name, key in KEYS.items()
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[MockProxy]:
    """The shipped router.yaml, every caller with a key of its own."""
    async with MockProxy(FOLDER / "router.yaml", ENVIRON) as running:
        yield running


def bearer(name: str) -> dict[str, str]:
    """The headers of a caller."""
    return {"Authorization": f"Bearer {KEYS[name]}"}


@IN_THE_LOOP
@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        pytest.param("open-webui", "/v1/models", 200, id="client-models"),
        pytest.param("open-webui", "/v1/models/main", 200, id="client-one-model"),
        pytest.param("open-webui", "/v1/models/boost-base", 404, id="client-internal-model"),
        pytest.param("open-webui", "/metrics/", 403, id="client-metrics"),
        pytest.param("open-webui", "/key/list", 403, id="client-management"),
        pytest.param("optillm", "/v1/models/main", 200, id="optillm-one-model"),
        pytest.param("optillm", "/metrics/", 403, id="optillm-metrics"),
        pytest.param("prometheus", "/metrics/", 200, id="metrics-metrics"),
        pytest.param("prometheus", "/v1/models", 403, id="metrics-models"),
        pytest.param("prometheus", "/v1/models/main", 403, id="metrics-one-model"),
        pytest.param("prometheus", "/key/list", 403, id="metrics-management"),
    ],
)
async def test_a_key_opens_its_routes(proxy: MockProxy, name: str, path: str, status: int) -> None:
    """With LiteLLM's own checks on as well, each caller reaches the routes of its role and no other."""
    answer = await proxy.get(path, headers=bearer(name))
    assert answer.status == status, answer.text
