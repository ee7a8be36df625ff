"""The SearXNG stand-in: ``GET /search?q=...&format=json``, which is what LiteLLM's provider sends."""

from __future__ import annotations

import urllib.parse
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

RESULTS_PER_PAGE: Final = 5


def results(query: str, page: int) -> list[dict[str, Any]]:
    """One page of results, shaped as SearXNG's search API documents them."""
    first = (page - 1) * RESULTS_PER_PAGE + 1
    return [_result(query, rank) for rank in range(first, first + RESULTS_PER_PAGE)]


def _result(query: str, rank: int) -> dict[str, Any]:
    url = f"https://example.org/demo/{rank}?about={urllib.parse.quote(query)}"
    return {
        "title": f"[demo searxng] Result {rank} for {query}",
        "url": url,
        "content": f"[demo searxng] No search ran: this is result {rank} of an embedded demo backend.",
        "engine": "demo",
        "engines": ["demo"],
        "positions": [rank],
        "score": round(1 / rank, 3),
        "category": "general",
        "template": "default.html",
        "parsed_url": list(urllib.parse.urlparse(url)),
        "publishedDate": None,
    }


async def _search(request: Request) -> Response:
    query = request.query_params.get("q", "").strip()
    page = request.query_params.get("pageno", "1")
    if not query or not page.isdecimal() or int(page) < 1:
        return PlainTextResponse("[demo searxng] search needs q=..., and pageno=1 or more if given", 400)
    if request.query_params.get("format") != "json":
        return PlainTextResponse("[demo searxng] only format=json is enabled", 403)
    found = results(query, int(page))
    empty: dict[str, list[str]] = {"answers": [], "corrections": [], "infoboxes": [], "suggestions": []}
    return JSONResponse(
        {
            "query": query,
            "number_of_results": len(found),
            "results": found,
            **empty,
            "unresponsive_engines": [],
        }
    )


async def _health(_: Request) -> Response:
    return PlainTextResponse("OK")


def app() -> Starlette:
    """The ASGI app; ``/healthz`` is SearXNG's own health route."""
    return Starlette(
        routes=[Route("/search", _search), Route("/healthz", _health), Route("/health", _health)],
    )
