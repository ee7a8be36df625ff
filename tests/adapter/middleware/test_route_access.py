"""Management is refused before LiteLLM's own code runs, to whoever cannot have a key for it."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from litellm_homelab.access.callers import Caller, Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.middleware.route_access import Door
from litellm_homelab.config.sections import digest

PATH = "/skill-hub/skills"
MASTER, CLIENT, METRICS, UNKNOWN = "sk-master-key", "sk-client-key", "sk-metrics-key", "sk-of-a-database"
CALLERS = (Caller("app"), Caller("prometheus", "metrics"))
KEYRING = Keyring(tuple(zip((digest(CLIENT), digest(METRICS)), CALLERS, strict=True)), digest(MASTER))


async def _skills() -> None:
    """What LiteLLM would do is not of interest here."""


def _unscreened(_: RequestContext, scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
    return scope, receive


async def _answer(headers: dict[str, str], *, database: bool) -> httpx.Response:
    """The answer to a request for a management route; `reached` is LiteLLM's."""
    litellm = FastAPI()
    litellm.add_api_route(PATH, _skills, methods=["GET"])
    reached = PlainTextResponse("reached")
    door = Door(reached, litellm.router, Gate(), KEYRING, _unscreened, has_other_keys=lambda: database)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with context.request(scope["path"]):
            await door(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        return await client.get(PATH, headers=headers)


@pytest.mark.parametrize(
    ("headers", "without_database", "with_database"),
    [
        pytest.param({}, 401, 200, id="no key"),
        pytest.param({"Authorization": "Bearer "}, 401, 200, id="an empty key"),
        pytest.param({"Authorization": f"Bearer {UNKNOWN}"}, 401, 200, id="an unknown key"),
        pytest.param({"Authorization": f"Bearer {CLIENT}"}, 403, 403, id="a client's key"),
        pytest.param({"x-api-key": CLIENT}, 403, 403, id="a client's key, another header"),
        pytest.param(
            {"x-litellm-api-key": UNKNOWN, "x-of-a-proxy": CLIENT},
            403,
            200,
            id="an unknown key beside a client's",
        ),
        pytest.param({"Authorization": f"Bearer {METRICS}"}, 403, 403, id="a metrics key"),
        pytest.param({"Authorization": f"Bearer {MASTER}"}, 200, 200, id="the master key"),
        pytest.param({"x-key-of-ours": MASTER}, 200, 200, id="the master key, a configured header"),
        # LiteLLM takes one of the two, and then asks the gate.
        pytest.param({"Authorization": f"Bearer {CLIENT}", "x-litellm-api-key": MASTER}, 200, 200, id="both"),
    ],
)
async def test_who_reaches_management(
    headers: dict[str, str], without_database: int, with_database: int
) -> None:
    """A key of LiteLLM's own database is LiteLLM's to judge."""
    found = [(await _answer(headers, database=database)).status_code for database in (False, True)]
    assert found == [without_database, with_database]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        pytest.param({}, "authentication_error", id="no key"),
        pytest.param({"Authorization": f"Bearer {CLIENT}"}, "route_not_allowed", id="a client's key"),
    ],
)
async def test_the_refusal_is_ours(headers: dict[str, str], said: str) -> None:
    """With the type of the contract."""
    answer = await _answer(headers, database=False)
    assert answer.json()["error"]["type"] == said
