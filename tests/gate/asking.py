"""Requests to every route of LiteLLM with every kind of key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litellm_homelab.gate.table import ANY, WEBSOCKET, Access, Route, reviewed
from litellm_homelab.testing import Answer, MockProxy

ROUTER = Path(__file__).parents[1] / "routers" / "routes.yaml"
MASTER = "sk-mock-proxy-master"
KEYS = {
    "master": MASTER,
    "client": "sk-app-key-0001",
    "client, next key": "sk-app-key-0002",
    "optillm": "sk-optillm-key-0001",
    "metrics": "sk-metrics-key-0001",
    "no key": "",
    "wrong key": "sk-nobodys-key",
}
USERS = ("master", "client", "client, next key", "optillm")
"""Who may use guarded routes."""
ROLES = ("master", "client", "optillm", "metrics", "no key", "wrong key")
STRANGERS = ("no key", "wrong key")
OPENED = ("/queue/chat/completions", "/public/endpoints")
"""Routes that the router.yaml of these tests opens."""
TEXT = [{"role": "user", "content": "hello"}]
BODY: dict[str, Any] = {
    "messages": TEXT,
    "max_tokens": 5,
    "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
    "input": "hello",
    "prompt": "hello",
    "query": "hello",
    "documents": ["hello"],
}
"""Fields of every API at once, so that a request is not turned down for want of one."""


def bearer(who: str) -> dict[str, str]:
    """The header of a kind of key."""
    return {"Authorization": f"Bearer {KEYS[who]}" if KEYS[who] else ""}


def routes(kind: Access) -> Iterator[Route]:
    """The routes of a heading that a request can be made to, but for those that are opened here."""
    for (method, path), access in reviewed().items():
        if access is kind and method not in {ANY, WEBSOCKET} and path not in OPENED:
            yield Route(method, path)


def filled(path: str, model: str) -> str:
    """A path with something in the place of its parameters."""
    named = re.sub(r"\{model(_name|_id)?(:path)?\}", model, path)
    return re.sub(r"\{[^}]*\}", "x", named)


async def ask(proxy: MockProxy, route: Route, who: str, model: str) -> Answer:
    """One request to a route that names a model in every way there is."""
    body = None if route.method in {"GET", "HEAD"} else {**BODY, "model": model}
    return await proxy.request(route.method, filled(route.path, model), json=body, headers=bearer(who))


def told(answer: Answer) -> str:
    """What an answer was, for a failing test to show."""
    return f"{answer.status} {answer.text[:120]} called {answer.sent_to}"


def refused(answer: Answer, status: int, word: str) -> bool:
    """Whether an answer is this refusal, in the shape of either API, with no call to a backend."""
    return answer.status == status and not answer.calls and (word in answer.text or not answer.text)
