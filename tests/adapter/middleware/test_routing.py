"""Which route a request is for, as FastAPI's own router would find it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import RouteContext
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from litellm_homelab.access.table import ANY, WEBSOCKET, Route
from litellm_homelab.adapter.middleware import routing
from litellm_homelab.adapter.middleware.routing import Finder, contexts


async def served() -> None:
    """Serve nothing."""


def made() -> FastAPI:
    """An app with every kind of route: included below a prefix, with parameters, mounted, websocket."""
    inner, app = APIRouter(prefix="/inner"), FastAPI(openapi_url=None)
    inner.add_api_route("/{name}", served, methods=["GET"])
    inner.add_api_route("/{rest:path}/end", served, methods=["POST"])
    app.add_api_route("/first", served, methods=["GET"])
    app.include_router(inner, prefix="/outer")
    app.add_api_websocket_route("/first", served)
    app.mount("/below", Starlette())
    return app


def scope(method: str, path: str, root_path: str = "") -> dict[str, Any]:
    """What a server tells of a request."""
    kind = "websocket" if method == WEBSOCKET else "http"
    return {"type": kind, "method": method, "path": path, "root_path": root_path, "headers": []}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        pytest.param("GET", "/first", "/first", id="plain"),
        pytest.param("GET", "/outer/inner/x", "/outer/inner/{name}", id="included-twice"),
        pytest.param("POST", "/outer/inner/a/b/end", "/outer/inner/{rest:path}/end", id="path-parameter"),
        pytest.param(WEBSOCKET, "/first", "/first", id="websocket"),
        pytest.param("POST", "/first", None, id="another-method"),
        pytest.param("GET", "/first/", None, id="redirect"),
        pytest.param("GET", "/FIRST", None, id="case"),
        pytest.param("GET", "/nowhere", None, id="nowhere"),
    ],
)
def test_the_route_is_the_one_with_its_whole_path(method: str, path: str, expected: str | None) -> None:
    """Prefixes of including routers are part of it; what no route serves has none; twice is the same."""
    finder = Finder(made().router)
    for _ in range(2):
        found = finder.find(scope(method, path))
        assert (found and (found.method, found.path)) == (expected and (method, expected))


def test_a_mounted_app_is_one_route() -> None:
    """Whatever is below a mounted app belongs to it."""
    found = Finder(made().router).find(scope("DELETE", "/below/x/y"))
    assert found == Route(ANY, "/below")


def test_a_route_that_is_added_ahead_is_found() -> None:
    """LiteLLM puts routes between the others while it runs; what was found before does not last."""
    app = made()
    finder = Finder(app.router)
    assert finder.find(scope("GET", "/first")) == Route("GET", "/first", served.__module__)
    app.add_api_route("/{anything}", served, methods=["GET"])
    app.router.routes.insert(0, app.router.routes.pop())
    found = finder.find(scope("GET", "/first"))
    assert found is not None
    assert found.path == "/{anything}"


def test_a_root_path_is_not_part_of_the_route() -> None:
    """The same path below another root is another route."""
    finder = Finder(made().router)
    assert finder.find(scope("GET", "/first")) is not None
    assert finder.find(scope("GET", "/first", "/first")) is None
    found = finder.find(scope("GET", "/api/first", "/api"))
    assert found is not None
    assert found.path == "/first"


def test_no_route_is_built_before_a_request_gets_that_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI takes more than a second for all of LiteLLM's; the first request waits for its own alone."""
    app = made()
    built: list[str | None] = []

    def counted(routes: Sequence[BaseRoute]) -> Iterator[RouteContext]:
        for one in contexts(routes):
            built.append(one.path)
            yield one

    monkeypatch.setattr(routing, "contexts", counted)
    finder = Finder(app.router)
    assert finder.find(scope("GET", "/first")) is not None
    assert built[-1] == "/first"
    before = len(built)
    assert finder.find(scope("GET", "/nowhere")) is None
    assert finder.find(scope("GET", "/outer/inner/x")) is not None
    assert before < len(built) == len(list(contexts(app.router.routes)))
