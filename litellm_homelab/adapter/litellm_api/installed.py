"""Everything that the installed LiteLLM takes from clients and offers to callbacks, read at the start."""

from __future__ import annotations

import itertools
import re
import typing
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.utils import CallTypes
from starlette.routing import BaseRoute, Mount, WebSocketRoute

from litellm_homelab.access.table import ANY, FORWARDING, WEBSOCKET
from litellm_homelab.adapter.litellm_api import headers_read, parameters
from litellm_homelab.reviewed.surface import Surface

DECORATED: Final = re.compile(
    r"@(\w+)\.(get|post|put|patch|delete|head|options|websocket|api_route)\(\s*(?:path=)?[\"'](/[^\"']*)[\"']"
)
"""A decorator of a route: the router's name, the kind, the path."""
ROUTER: Final = re.compile(r"^(\w+)[^=\n]*= *APIRouter\([^)]*?prefix=[\"'](/[^\"']*)[\"']", re.MULTILINE)
METHODS: Final = re.compile(r"methods=[\[({]([^\])}]*)[\])}]")
NAMES: Final = re.compile(r"[A-Z]+")
NEAR: Final = 300
"""Characters after a path within which the decorator's `methods` are."""
METRICS: Final = f"{ANY} /metrics"
"""Mounted when the `prometheus` callback is loaded."""


def surface(app: Any) -> Surface:  # noqa: ANN401 - LiteLLM's FastAPI app
    """What this LiteLLM brings; of the routes, those that are loaded (`lazy_routes` has the others)."""
    return Surface(
        routes=frozenset({*routes(app.router.routes), METRICS}),
        parameters=parameters.names(),
        call_types=call_types(),
        hooks=hooks(),
        headers=headers_read.names(),
    )


def routes(found: Iterable[BaseRoute], including: Any = None) -> Iterator[str]:  # noqa: ANN401 - FastAPI's
    """
    Yield the routes of an app and of the routers in it, without the operator's own pass-through endpoints.

    FastAPI would build each route of an included router first, which takes seconds for all of LiteLLM's
    (`iter_route_contexts`); names need only the path and the prefix that the router was included with.
    """
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            own = route.include_context  # type: ignore[attr-defined]
            yield from routes(inner.routes, including.combine(own) if including else own)
        elif not _is_the_operators(getattr(route, "endpoint", None)):
            path = including.path_for(route) if including else getattr(route, "path", "")
            yield from (f"{method} {path}" for method in _methods(route))


def _is_the_operators(endpoint: object) -> bool:
    """Whether it serves one of `general_settings.pass_through_endpoints`; a function is made for each."""
    name = f"{getattr(endpoint, '__module__', '')}.{getattr(endpoint, '__qualname__', '')}"
    return name.startswith(FORWARDING) and "<locals>" in name


def _methods(route: BaseRoute) -> Iterable[str]:
    if isinstance(route, Mount):
        return (ANY,)
    if isinstance(route, WebSocketRoute):
        return (WEBSOCKET,)
    return sorted(getattr(route, "methods", None) or (ANY,))


def has_path(app: Any, path: str) -> bool:  # noqa: ANN401 - LiteLLM's FastAPI app
    """Whether a route has this path, loaded or not."""
    found = (one.partition(" ")[2] for one in itertools.chain(routes(app.router.routes), lazy_routes(app)))
    return path in found


def lazy_routes(app: Any) -> Iterator[str]:  # noqa: ANN401 - LiteLLM's FastAPI app
    """
    The routes of features that LiteLLM has not loaded yet, from their source.

    To load them takes seconds and hundreds of megabytes (LiteLLM 1.106.2 says 700 at idle), so their modules
    are read, not imported.
    """
    try:
        from litellm.proxy import _lazy_features as lazy
    except ImportError:  # a LiteLLM that loads everything at once
        return
    loaded: frozenset[str] = getattr(lazy, "loaded_lazy_modules", lambda _: frozenset())(app)
    for feature in lazy.LAZY_FEATURES:
        if feature.module_path in loaded:
            continue
        source = Path(str(litellm.__file__)).parents[1] / f"{feature.module_path.replace('.', '/')}.py"
        found = frozenset(in_source(source.read_text(encoding="utf-8"))) if source.is_file() else frozenset()
        yield from found or (f"{ANY} {prefix}" for prefix in feature.path_prefixes)


def in_source(source: str) -> Iterator[str]:
    """
    The routes that a module's decorators register, as far as their paths are literal.

    The prefix of a router that another one includes is not in its source: `is_known` compares by the end.
    """
    prefixes = dict(ROUTER.findall(source))
    for found in DECORATED.finditer(source):
        owner, kind, path = found.groups()
        methods: Iterable[str] = (WEBSOCKET if kind == "websocket" else kind.upper(),)
        if kind == "api_route":
            listed = METHODS.search(source, found.end(), found.end() + NEAR)
            methods = NAMES.findall(listed[1]) if listed else (ANY,)
        yield from (f"{method} {prefixes.get(owner, '')}{path}" for method in methods)


def is_known(route: str, reviewed: Iterable[str]) -> bool:
    """Whether a route that was read from source may be one of these: method, and how the path ends."""
    method, _, path = route.partition(" ")
    if method == ANY:
        return any(one.partition(" ")[2].startswith(path.rstrip("/")) for one in reviewed)
    return any(one.startswith(f"{method} ") and one.endswith(path) for one in reviewed)


def call_types() -> frozenset[str]:
    """Every name that LiteLLM has for a kind of call: its enum, and what its routes say in pre-call."""
    return frozenset(one.value for one in CallTypes) | frozenset(_route_types())


def _route_types() -> Iterator[str]:
    """The values of `route_type`, by which pre-call knows most routes (LiteLLM 1.106.2)."""
    from litellm.proxy.common_request_processing import ProxyBaseLLMRequestProcessing as Processing

    for name in ("base_process_llm_request", "common_processing_pre_call_logic"):
        function: Callable[..., Any] | None = getattr(Processing, name, None)
        annotation = getattr(function, "__annotations__", {}).get("route_type")
        yield from (one for one in typing.get_args(annotation) if isinstance(one, str))


def hooks() -> frozenset[str]:
    """The methods of `CustomLogger` that a callback may define."""
    return frozenset(name for name, found in vars(CustomLogger).items() if callable(found) and name[0] != "_")
