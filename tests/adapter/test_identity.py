"""Who LiteLLM sees of a caller: the same each time, and nothing in it that two requests share."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from litellm_homelab.access.callers import Caller, Keyring
from litellm_homelab.access.rule import Gate
from litellm_homelab.access.table import Route
from litellm_homelab.adapter import context
from litellm_homelab.adapter.middleware.authentication import gate
from litellm_homelab.config.sections import digest
from litellm_homelab.showroom.rule import Showroom

KEYS = {"master": "sk-master-key", "client": "sk-client-key"}
KEYRING = Keyring(((digest(KEYS["client"]), Caller("app")),), digest(KEYS["master"]))

NO_MODELS = Showroom((), frozenset(), frozenset(), {}, {}, frozenset())


async def identity(who: str, path: str = "/v1/chat/completions", method: str = "POST") -> dict[str, Any]:
    """The fields of the identity that the gate gives LiteLLM for one request."""
    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    with context.request(path) as record:
        record.route = Route(method, path)
        recognise = gate(KEYRING, Gate(), NO_MODELS, lambda: False)
        found = await recognise(Request(scope), KEYS[who])
    return dict(vars(found))


@pytest.mark.parametrize("who", KEYS)
async def test_no_two_requests_share_what_litellm_may_write_into(who: str) -> None:
    """Whatever LiteLLM puts into one request's identity, the next one's is as it was."""
    first, before = await identity(who), await identity(who)
    for value in first.values():
        if isinstance(value, dict):
            value["written"] = "by LiteLLM"
        elif isinstance(value, list):
            value.append("written by LiteLLM")
    assert await identity(who) == before
    assert first != before


async def test_what_is_inside_the_lists_and_dicts_is_nothing_that_can_be_written_into() -> None:
    """Copies one level deep are deep enough for the identity of every kind of caller."""
    for who in KEYS:
        containers = [value for value in (await identity(who)).values() if isinstance(value, dict | list)]
        inner = [one for each in containers for one in (each.values() if isinstance(each, dict) else each)]
        assert not [one for one in inner if isinstance(one, dict | list | set)], who


async def test_litellms_own_checks_are_told_the_route() -> None:
    """LiteLLM takes a route that is no model's for an admin's, unless the identity names it."""
    assert (await identity("client", "/v1/chat/completions"))["allowed_routes"] == []
    assert (await identity("client", "/health/readiness", "GET"))["allowed_routes"] == ["/health/readiness"]
