"""Which of LiteLLM's routes a request is for, found as LiteLLM's own router finds it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Match, Mount, WebSocketRoute
from starlette.types import Scope

from litellm_homelab.access.table import ANY, WEBSOCKET, Route


def contexts(routes: Sequence[BaseRoute]) -> Iterator[RouteContext]:
    """
    Every route of an app, those of its included routers with the paths they really have.

    FastAPI keeps included routers whole: `app.routes` holds 64 of them in LiteLLM 1.106.2, and
    `scope["route"].path` lacks the prefix that a router was included with. It builds the routes of each when
    they are first looked at: 1.3 s for all 657 (measured on two cores), most of which no request needs.
    """
    return iter_route_contexts(routes)


def methods_of(context: RouteContext) -> Iterable[str]:
    """A route's methods in the words of the table: HTTP methods, `WS`, or `*` for a mounted app."""
    if context.methods:
        return sorted(context.methods)
    return [WEBSOCKET if isinstance(context.original_route, WebSocketRoute) else ANY]


class Finder:
    """
    Finds the route of a request among those that a router has at that moment.

    LiteLLM registers some features when their first request comes in, and puts their routes between the
    others, so what was found is kept only as long as the list of routes stays the same.
    """

    def __init__(self, router: Any) -> None:  # noqa: ANN401 - FastAPI's router
        self._router = router
        self._routes: list[BaseRoute] = []
        self._seen: list[RouteContext] = []
        self._unseen: Iterator[RouteContext] = iter(())
        self._known: dict[tuple[str, str, str], Route] = {}

    def find(self, scope: Scope) -> Route | None:
        """The route that will serve a connection; None where LiteLLM answers 404, 405 or a redirect."""
        if self._routes != self._router.routes:
            self._routes = list(self._router.routes)
            self._seen, self._unseen = [], contexts(self._routes)
            self._known = {}
        method = scope["method"] if scope["type"] == "http" else WEBSOCKET
        asked = (method, str(scope["path"]), str(scope.get("root_path", "")))
        if asked in self._known:
            return self._known[asked]
        found = next(self._matching(scope), None)
        if found is None:
            return None
        route = Route(
            ANY if isinstance(found.original_route, Mount) else method, found.path or "", _module(found)
        )
        if route.path == asked[1]:  # a path without parameters: as many as there are routes, at the most
            self._known[asked] = route
        return route

    def _matching(self, scope: Scope) -> Iterator[RouteContext]:
        return (one for one in self._contexts() if one.matches(scope)[0] is Match.FULL)

    def _contexts(self) -> Iterator[RouteContext]:
        """The routes in order, each built once, and no sooner than a request gets that far."""
        for number in itertools.count():
            if number == len(self._seen):
                following = next(self._unseen, None)
                if following is None:
                    return
                self._seen.append(following)
            yield self._seen[number]


def _module(context: RouteContext) -> str:
    return getattr(context.endpoint, "__module__", "")
