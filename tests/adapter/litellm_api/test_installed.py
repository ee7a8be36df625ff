"""What the installed LiteLLM brings, as it is read at the start."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette

from litellm_homelab.access.table import FORWARDING
from litellm_homelab.adapter.litellm_api import installed
from litellm_homelab.adapter.litellm_api.unreviewed import reviewed
from tests.surfaces import union


def test_routes_have_the_prefixes_of_their_routers() -> None:
    """Those of included routers, of mounted apps and of websockets, too."""
    app, outer, inner = (
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        APIRouter(),
        APIRouter(prefix="/in"),
    )

    @inner.post("/one/{path:path}")
    async def one() -> None: ...

    @outer.websocket("/socket")
    async def socket() -> None: ...

    outer.include_router(inner, prefix="/out")
    app.include_router(outer, prefix="/v1")
    app.mount("/files", Starlette())
    app.add_api_route("/two", one, methods=["GET", "PUT"])
    assert set(installed.routes(app.router.routes)) == {
        *("POST /v1/out/in/one/{path:path}", "WS /v1/socket", "* /files", "GET /two", "PUT /two")
    }


def test_the_operators_pass_through_is_no_route_of_litellms() -> None:
    """It is closed, and nothing to review."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def forward() -> None: ...

    forward.__module__ = FORWARDING
    app.add_api_route("/bria", forward, methods=["POST"])
    assert set(installed.routes(app.router.routes)) == set()


@pytest.mark.parametrize(
    ("source", "routes"),
    [
        pytest.param('@router.post(\n    "/a/{x}",\n    tags=[],\n)', {"POST /a/{x}"}, id="decorator"),
        pytest.param('router = APIRouter(prefix="/p")\n@router.get("/a")', {"GET /p/a"}, id="prefix"),
        pytest.param('@app.websocket("/s")', {"WS /s"}, id="websocket"),
        pytest.param('@r.api_route("/a", methods=["GET", "PUT"])', {"GET /a", "PUT /a"}, id="methods"),
        pytest.param("@router.get(PATH)", set(), id="not-literal"),
    ],
)
def test_routes_are_read_from_source(source: str, routes: set[str]) -> None:
    """What a feature will register once it is loaded, as far as it is written out."""
    assert set(installed.in_source(source)) == routes


def test_a_feature_that_is_not_loaded_has_nothing_unreviewed() -> None:
    """The start counts none of this version's, though it reads only a part of each path there."""

    class NothingLoaded:
        state = FastAPI().state

    found = set(installed.lazy_routes(NothingLoaded()))
    assert len(found & reviewed().routes) > 100
    assert sorted(one for one in found if not installed.is_known(one, reviewed().routes)) == []


def test_a_path_is_found_whether_its_feature_is_loaded_or_not() -> None:
    """What homelab.gate.open may name."""
    from litellm.proxy.proxy_server import app

    assert installed.has_path(app, "/v1/chat/completions")
    assert installed.has_path(app, "/prompts/list")
    assert not installed.has_path(app, "/v1/chat/completion")


def test_call_types_and_hooks_are_recorded() -> None:
    """Those of the enum and those that only routes name."""
    assert {"acompletion", "anthropic_messages", "_arealtime"} <= installed.call_types() <= union().call_types
    assert {"async_pre_call_hook", "log_pre_api_call"} <= installed.hooks() <= union().hooks
