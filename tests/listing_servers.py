"""A stand-in Ollama and a stand-in llama-swap: they count what loads a model or renews its keep-alive."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

LISTS = ("/api/tags", "/api/ps", "/v1/models", "/running")
"""What only lists: every other request loads a model, or renews its keep-alive."""
WORDS = {"role": "assistant", "content": "Hello."}


class ListingServer:
    """Models that are pulled and removed, and what was asked of them."""

    def __init__(self, *models: str) -> None:
        self.models = list(models)
        self.loaded: list[str] = []
        self.asked: list[str] = []
        """The path of every request."""
        self.bodies: list[dict[str, Any]] = []
        """What was sent to models."""

    @property
    def app(self) -> Starlette:
        """The server."""
        raise NotImplementedError

    @property
    def probes(self) -> list[str]:
        """The requests that only list."""
        return [path for path in self.asked if path in LISTS]

    @property
    def loads(self) -> int:
        """The requests that load a model, or renew its keep-alive."""
        return len(self.asked) - len(self.probes)

    def pull(self, model: str) -> None:
        """As `ollama pull`."""
        self.models.append(model)

    def rm(self, model: str) -> None:
        """As `ollama rm`."""
        self.models.remove(model)

    async def said_to(self, request: Request) -> str | None:
        """Note a request for a model; the model, None where it is not there."""
        self.asked.append(request.url.path)
        body = await request.json()
        self.bodies.append(body)
        model = body["model"]
        if model not in self.models and f"{model}:latest" not in self.models:
            return None
        if model not in self.loaded:
            self.loaded.append(model)
        return str(model)

    def listing(self, request: Request) -> None:
        """Note a request that lists."""
        self.asked.append(request.url.path)


class Ollama(ListingServer):
    """Ollama's `/api/tags`, `/api/ps` and `/api/chat` (documentation of Ollama's API)."""

    @property
    def app(self) -> Starlette:
        """The server."""
        return Starlette(
            routes=[
                Route("/api/tags", self._tags),
                Route("/api/ps", self._ps),
                Route("/api/chat", self._chat, methods=["POST"]),
                Route("/{path:path}", self._other, methods=["GET", "POST"]),
            ]
        )

    async def _tags(self, request: Request) -> Response:
        self.listing(request)
        return JSONResponse({"models": [{"name": one, "model": one} for one in self.models]})

    async def _ps(self, request: Request) -> Response:
        self.listing(request)
        return JSONResponse({"models": [{"name": one, "model": one} for one in self.loaded]})

    async def _chat(self, request: Request) -> Response:
        model = await self.said_to(request)
        if model is None:
            return JSONResponse({"error": "model not found, try pulling it first"}, 404)
        return JSONResponse(
            {"model": model, "message": WORDS, "done": True, "prompt_eval_count": 1, "eval_count": 1}
        )

    async def _other(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return PlainTextResponse("", 404)


class LlamaSwap(ListingServer):
    """llama-swap's `/v1/models`, `/running` and `/v1/chat/completions`; its `/upstream/...` loads."""

    @property
    def app(self) -> Starlette:
        """The server."""
        return Starlette(
            routes=[
                Route("/v1/models", self._models),
                Route("/running", self._running),
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/{path:path}", self._other, methods=["GET", "POST"]),
            ]
        )

    async def _models(self, request: Request) -> Response:
        self.listing(request)
        return JSONResponse(
            {"object": "list", "data": [{"id": one, "object": "model"} for one in self.models]}
        )

    async def _running(self, request: Request) -> Response:
        self.listing(request)
        return JSONResponse({"running": [{"model": one, "state": "ready"} for one in self.loaded]})

    async def _chat(self, request: Request) -> Response:
        model = await self.said_to(request)
        if model is None:
            return JSONResponse({"error": "could not find a model"}, 404)
        choice = {"index": 0, "message": WORDS, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return JSONResponse(
            {"id": "1", "object": "chat.completion", "created": 1, "model": model}
            | {"choices": [choice], "usage": usage}
        )

    async def _other(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return PlainTextResponse("", 404)
