"""Requests to every route of LiteLLM with every kind of key, and what each must be answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from litellm_homelab.access.table import ANY, WEBSOCKET, Access, Route, reviewed
from litellm_homelab.testing import Answer, MockProxy
from tests.surfaces import has_route

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
SERVED: dict[str, tuple[str, tuple[str, ...]]] = {
    "/chat/completions": ("main", ("messages",)),
    "/completions": ("main", ("prompt",)),
    "/messages": ("main", ("messages", "max_tokens")),
    "/responses": ("main", ("input",)),
    "/interactions": ("main", ("input",)),
    "enerateContent": ("main", ("contents",)),
    "/embeddings": ("embed", ("input",)),
    "/search": ("web", ("query",)),
    "/search/{search_tool_name}": ("web", ("query",)),
}
"""Endings of guarded routes that the router.yaml of these tests serves: which handle, asked with what."""
OTHER_MODES = (
    *("/audio/speech", "/images/generations", "/images/edits", "/moderations", "/ocr", "/rerank", "/videos"),
    "/embeddings",
)
"""Endings of guarded routes that a handle of mode chat does not serve."""
LISTINGS = frozenset(
    {"/cursor/models", "/cursor/v1/models", "/models", "/v1/models", "/models/{model_id}"}
    | {"/v1/models/{model_id}", "/model_group/info", "/model/info", "/v1/model/info"}
)


def bearer(who: str) -> dict[str, str]:
    """The header of a kind of key."""
    return {"Authorization": f"Bearer {KEYS[who]}" if KEYS[who] else ""}


def routes(*kinds: Access) -> Iterator[Route]:
    """The installed LiteLLM's routes of some headings that can be asked, not those that are opened here."""
    for (method, path), access in reviewed().items():
        if not has_route(method, path):
            continue
        if access in kinds and method not in {ANY, WEBSOCKET} and path not in OPENED:
            yield Route(method, path)


def sockets() -> list[str]:
    """The path of every websocket."""
    return sorted(
        filled(path, "main") for method, path in reviewed() if method == WEBSOCKET and has_route(method, path)
    )


def filled(path: str, model: str) -> str:
    """A path with something in the place of its parameters: a way to a model where there is room for one."""
    named = re.sub(r"\{model(_name|_id)?(:path)?\}", model, path)
    return re.sub(r"\{[^}]*\}", "x", re.sub(r"\{endpoint:path\}", "v1/chat/completions", named))


def body_of(route: Route, model: str) -> dict[str, Any] | None:
    """What is sent to a route: every field that any API has, the model among them; nothing with a GET."""
    return None if route.method in {"GET", "HEAD"} else {**BODY, "model": model}


def refusal_of(kind: Access, who: str) -> tuple[int, str] | None:
    """The status and type with which a heading's routes are refused to a kind of key; None where not."""
    if kind is Access.UNGUARDED:
        return 403, "route_not_allowed"
    if who in STRANGERS:
        return 401, "authentication_error"
    allowed = USERS if kind is Access.GUARDED else ("master",)
    return None if who in allowed else (403, "route_not_allowed")


def serving(route: Route) -> tuple[str, dict[str, Any]] | None:
    """The handle that a guarded route serves here, and a body that asks it for something."""
    for ending, (model, fields) in SERVED.items():
        if route.method == "POST" and route.path.endswith(ending):
            named = {"search_tool_name": model} if model == "web" else {"model": model}
            return model, {**named, **{name: BODY[name] for name in fields}}
    return None


def served_at(route: Route, model: str) -> str:
    """The path at which a route serves a handle or a search tool."""
    return filled(route.path.replace("{search_tool_name}", model), model)


async def ask(proxy: MockProxy, route: Route, who: str, model: str) -> Answer:
    """One request to a route that names a model in every way there is."""
    return await proxy.request(
        route.method, filled(route.path, model), json=body_of(route, model), headers=bearer(who)
    )


def described(answer: Answer) -> str:
    """What an answer was, for a failing test to show."""
    return f"{answer.status} {answer.text[:120]} called {answer.sent_to}"


def refused(answer: Answer, status: int, word: str) -> bool:
    """Whether an answer is this refusal, in the shape of either API, with no call to a backend."""
    return answer.status == status and not answer.calls and (word in answer.text or not answer.text)


def wrongly_led(route: Route, answer: Answer, name: str) -> bool:
    """Whether a guarded route did anything but refuse a name that nobody may use, or left it in a listing."""
    if answer.calls:
        return True
    if route.path in LISTINGS and "{" not in route.path:
        # A word of its own: 1.110 lists a field `supports_background_chat`.
        return answer.status != 200 or bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", answer.text))
    return answer.status not in {400, 403, 404, 422}
