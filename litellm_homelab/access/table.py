"""Every reviewed route of LiteLLM, and who may use it; a route that is not in the table is closed."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

ANY: Final = "*"
"""The method of a mounted app, which serves them all."""
WEBSOCKET: Final = "WS"
FORWARDING: Final = "litellm.proxy.pass_through_endpoints.pass_through_endpoints"
"""Where the functions live that serve `general_settings.pass_through_endpoints` (LiteLLM 1.106.2)."""


class Access(StrEnum):
    """Whom a route is for; the headings of routes.txt."""

    OPEN = "open"
    METRICS = "metrics"
    GUARDED = "guarded"
    UNGUARDED = "unguarded"
    KEYLESS = "keyless"
    MANAGEMENT = "management"
    LOGIN = "login"
    PAGE = "page"
    WIDGETS = "widgets"


OWN: Final = frozenset({Access.LOGIN, Access.PAGE, Access.WIDGETS})
"""Headings of routes that this package serves itself, in front of LiteLLM."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route as LiteLLM registered it: `path` is the template, never what the client wrote."""

    method: str
    path: str
    module: str = ""
    """Where the function that serves it is defined."""

    def __str__(self) -> str:
        return self.path if self.method == ANY else f"{self.method} {self.path}"


Table = Mapping[tuple[str, str], Access]
"""Whom each (method, path) is for."""


@functools.cache
def reviewed() -> Table:
    """The table that this package was reviewed with, from routes.txt."""
    text = (pkgutil.get_data(__package__, "routes.txt") or b"").decode()
    return MappingProxyType(dict(_entries(text.splitlines())))


def _entries(lines: Iterable[str]) -> Iterator[tuple[tuple[str, str], Access]]:
    access = Access.UNGUARDED
    for line in lines:
        if line.startswith("["):
            access = Access(line.strip("[]"))
        elif line and not line.startswith("#"):
            methods, path = line.split(" ", 1)
            yield from (((method, path), access) for method in methods.split(","))


def access(route: Route, table: Table) -> Access:
    """
    Whom a route is for.

    A route that has not been reviewed (of a newer LiteLLM, or added by an operator's own code) is closed to
    everyone: its path does not show what it does.
    """
    return table.get((route.method, route.path), Access.UNGUARDED)


def is_unreviewed(route: Route, table: Table) -> bool:
    """Whether a route is in no table, and none of `general_settings.pass_through_endpoints` either."""
    return (route.method, route.path) not in table and not route.module.startswith(FORWARDING)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path is one of some names: exact, or shell patterns (`/v1/*`; `*` crosses slashes)."""
    return any(path == pattern or fnmatchcase(path, pattern) for pattern in patterns)


def paths(table: Table, *wanted: Access) -> frozenset[str]:
    """The paths of some kinds of routes."""
    return frozenset(path for (_, path), access in table.items() if access in wanted)
