"""The table of routes against the installed LiteLLM, and what becomes of routes that are not in it."""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab import access as access_package
from litellm_homelab.access.table import (
    ANY,
    FORWARDING,
    WEBSOCKET,
    Access,
    Route,
    access,
    is_unreviewed,
    matches,
    paths,
    reviewed,
)
from tests.access.installed import Installed, installed
from tests.surfaces import recorded


@pytest.fixture(scope="module")
def routes() -> list[Installed]:
    """Every route of the installed LiteLLM."""
    return installed()


def test_every_route_of_the_installed_litellm_is_reviewed(routes: list[Installed]) -> None:
    """A path or method that a new LiteLLM brings fails here until somebody has put it under a heading."""
    unknown = sorted(str(one) for one in routes if (one.method, one.path) not in reviewed())
    assert unknown == [], "put each of them under a heading of litellm_homelab/access/routes.txt"


def test_the_recorded_routes_are_the_installed_ones(routes: list[Installed]) -> None:
    """tests/surface/ has each route of this version, features that load on first use included."""
    found = recorded().get(version("litellm"))
    assert found is not None, "run scripts/litellm_surface.py"
    assert found.routes == {str(one) for one in routes}
    assert len(routes) >= 1100


def test_where_litellm_asks_for_no_key_the_door_does(routes: list[Installed]) -> None:
    """A route that checks no key itself is open on purpose, the metrics, closed, or for the master key."""
    unasked = {(one.method, one.path) for one in routes if not one.asks_key}
    assert len(unasked) > 90
    kinds = {reviewed()[key] for key in unasked}
    assert kinds == {Access.OPEN, Access.METRICS, Access.UNGUARDED, Access.KEYLESS}


def test_what_litellm_calls_public_is_not(routes: list[Installed]) -> None:
    """LiteLLM's own public routes are for the master key, liveliness aside."""
    from litellm.proxy._types import LiteLLMRoutes

    public = {one.path for one in routes} & set(LiteLLMRoutes.public_routes.value)
    kinds = {reviewed()[one.method, one.path] for one in routes if one.path in public}
    assert kinds == {Access.OPEN, Access.KEYLESS}
    assert paths(reviewed(), Access.OPEN) == {
        "/health/liveliness",
        "/health/liveness",
        "/health/readiness",
    }


def test_a_line_of_the_table_stands_once() -> None:
    """No route is under two headings, and no path is written twice under one."""
    text = files(access_package).joinpath("routes.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and line[0] not in "#["]
    keys = [
        (method, path)
        for line in lines
        for methods, path in [line.split(" ", 1)]
        for method in methods.split(",")
    ]
    assert len(keys) == len(set(keys)) == len(reviewed())


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", WEBSOCKET, ANY])
@pytest.mark.parametrize(
    "path",
    [
        *("/v2/users", "/reports/daily", "/teams/{team_id}", "/new", "/lens2/{path:path}", "/health/new"),
        *("/v2/chat/completions", "/v1/messages/batches", "/v1/complete", "/{model}/predict", "/v1/embed"),
        *(
            "/v2/responses",
            "/v1/threads/{thread_id}/runs/{run_id}",
            "/v1/tools/call",
            "/infer",
            "/anthropic2/{path}",
        ),
        *("/v1/text-to-speech", "/v1/translations", "/proxy/{path:path}", "/converse", "/v1/uploads/{file}"),
    ],
)
def test_a_new_path_is_closed(path: str, method: str) -> None:
    """A path that has not been reviewed is closed to everyone, whatever its name."""
    route = Route(method, path, "litellm.proxy.proxy_server")
    assert access(route, reviewed()) is Access.UNGUARDED
    assert is_unreviewed(route, reviewed())


def test_the_operators_own_pass_through_is_closed() -> None:
    """A pass-through endpoint is closed by the function that serves it, whatever its path."""
    route = Route("POST", "/bria", FORWARDING)
    assert access(route, reviewed()) is Access.UNGUARDED
    assert not is_unreviewed(route, reviewed())


def test_a_new_method_of_a_known_path_is_not_known() -> None:
    """What is reviewed is a method of a path: PUT on chat is something else."""
    assert access(Route("POST", "/v1/chat/completions"), reviewed()) is Access.GUARDED
    assert access(Route("PUT", "/v1/chat/completions"), reviewed()) is Access.UNGUARDED


@given(st.sampled_from(sorted({path for _, path in reviewed()})), st.text(max_size=30))
def test_a_pattern_matches_as_a_shell_does(path: str, text: str) -> None:
    """A path matches itself and its own beginning with a star; text without stars matches itself alone."""
    assert matches(path, [path])
    assert matches(path, [path[: len(path) // 2] + "*"])
    if not re.search(r"[*?\[]", text):
        assert matches(path, [text]) == (path == text)
