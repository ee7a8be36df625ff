"""Routes, errors and keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from litellm_homelab.probe.asking import ProbeReply
from litellm_homelab.probe.contract import ROUTES, error_form, key_verdict, route_verdict

BY_PATH = {one.path.removeprefix("/v1/"): one for one in ROUTES}
SERVED = {
    "completions": {"choices": [{"text": "x"}]},
    "embeddings": {"data": [{"embedding": [0.1]}]},
    "responses": {"object": "response", "output": []},
    "messages": {"type": "message", "content": []},
}
CHAT = ProbeReply(200, json.dumps({"choices": [{"message": {"content": "x"}}]}))


@pytest.mark.parametrize("name", BY_PATH)
def test_a_route_is_served_in_its_own_shape(name: str) -> None:
    """And in no other."""
    for other, document in SERVED.items():
        found = route_verdict(BY_PATH[name], ProbeReply(200, json.dumps(document)))
        assert (found == "yes") == (other == name)
    assert json.dumps(BY_PATH[name].body("tide"))


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (ProbeReply(404, "no"), "no"),
        (ProbeReply(405, ""), "no"),
        (ProbeReply(200, "<html>"), "no: 200 with an HTML page"),
        (ProbeReply(200, '{"error": "no", "choices": [{"text": "x"}]}'), 'no: 200 with {"error": "..."}'),
        (ProbeReply(500, '{"error": "x"}'), "not known: 500: x"),
        (ProbeReply(problem="nothing came within 5 s"), "not known: nothing came within 5 s"),
    ],
)
def test_a_route_that_is_not_served(reply: ProbeReply, verdict: str) -> None:
    """An error that is not about the route says nothing of it."""
    assert route_verdict(BY_PATH["completions"], reply) == verdict


def test_forms_of_errors() -> None:
    """Status and shape; a mistake that is served is one as well."""
    assert error_form(ProbeReply(404, '{"error": {"message": "x"}}')).startswith("404 with an OpenAI error")
    assert error_form(ProbeReply(400, "<html>")) == "400 with an HTML page"
    assert error_form(CHAT) == "200: it is served"
    assert error_form(ProbeReply(problem="it breaks off")) == "it breaks off"


@pytest.mark.parametrize(
    ("without", "wrong", "has_key", "verdict"),
    [
        (CHAT, CHAT, False, "none needed, any is taken"),
        (CHAT, ProbeReply(401), False, "none needed, a wrong one is refused (401)"),
        (ProbeReply(401), ProbeReply(403), True, "needed: 401 without, 403 with a wrong one"),
        (ProbeReply(401), CHAT, True, "needed (401 without), but any is taken"),
        (ProbeReply(500), ProbeReply(500), True, "not known: 500 with an empty body without, "),
    ],
)
def test_keys(without: ProbeReply, wrong: ProbeReply, has_key: bool, verdict: Any) -> None:
    """From one chat without a key, and one with a wrong one."""
    assert key_verdict(without, wrong, has_key=has_key).startswith(verdict)
