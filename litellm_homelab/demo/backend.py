"""The four OpenAI-compatible backends, and where they differ: mlx, vllm, ollama, cloud."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from types import ModuleType
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from litellm_homelab.demo import answers, chat, completions, embeddings, ollama, request_body
from litellm_homelab.demo.request_body import BadRequestError

Endpoint = Callable[[Request], Awaitable[Response]]
SWAPPED: Final = "demo-other-model"
"""What a backend has while its model is swapped away."""


class Backend:
    """One backend: answers for ``models`` only, and like ``name``'s real counterpart where it matters.

    ``cloud`` wants a bearer (``key``, or any non-empty one) and refuses unknown body fields, as OpenAI does;
    the others ignore both, as mlx_lm.server, vLLM and Ollama do.
    """

    def __init__(self, name: str, models: tuple[str, ...], pace: float, key: str = "") -> None:
        self.name = name
        self.configured = models
        self.is_swapped = False
        """Whether another model is in the place of the configured ones."""
        self._pace = pace
        self._key = key

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it has now."""
        return (SWAPPED,) if self.is_swapped else self.configured

    def app(self) -> Starlette:
        """The ASGI app."""
        routes = [
            Route("/health", self._health),
            Route("/v1/models", self._refusing(self._list_models)),
            Route("/v1/models/{model:path}", self._refusing(self._one_model)),
            Route("/v1/chat/completions", self._refusing(partial(self._generate, chat)), methods=["POST"]),
            Route("/v1/completions", self._refusing(partial(self._generate, completions)), methods=["POST"]),
            Route("/v1/embeddings", self._refusing(self._embed), methods=["POST"]),
        ]
        if self.name == "ollama":
            routes += [Route("/", self._ollama_banner), Route("/api/tags", self._ollama_tags)]
            routes.append(Route("/api/ps", self._ollama_ps))
            routes += self._ollama_routes("/api")
        return Starlette(routes=routes)

    def _ollama_routes(self, prefix: str) -> list[Route]:
        """Ollama's own routes that ask a model."""
        return [
            Route(f"{prefix}/{name}", self._refusing(partial(self._ollama, name == "chat")), methods=["POST"])
            for name in ("chat", "generate")
        ]

    def _refusing(self, endpoint: Endpoint) -> Endpoint:
        async def checked(request: Request) -> Response:
            try:
                self._check_bearer(request)
                return await endpoint(request)
            except BadRequestError as error:
                return self._refusal(error)

        return checked

    def _refusal(self, error: BadRequestError) -> Response:
        if self.name == "mlx":  # mlx_lm.server's errors are a bare string
            return JSONResponse({"error": error.message}, status_code=error.status)
        return error.response()

    def _check_bearer(self, request: Request) -> None:
        if self.name != "cloud":
            return
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip() or (self._key and key.strip() != self._key):
            raise BadRequestError(
                401,
                "Incorrect API key provided, or none: send 'Authorization: Bearer KEY'.",
                code="invalid_api_key",
            )

    async def _read(self, request: Request) -> dict[str, Any]:
        body = await request_body.json_object(request)
        if self.name == "cloud":
            request_body.refuse_unknown_fields(request.url.path, body)
        self._check_model(body.get("model"))
        return body

    def _check_model(self, model: object) -> None:
        if isinstance(model, str) and model in self.models:
            return
        wording = {
            "vllm": f"The model `{model}` does not exist.",
            "ollama": f'model "{model}" not found, try pulling it first',
            "mlx": f"model {model!r} is not served here (served: {', '.join(self.models)})",
            "cloud": f"The model `{model}` does not exist or you do not have access to it.",
        }
        kind = "NotFoundError" if self.name == "vllm" else "invalid_request_error"
        raise BadRequestError(404, wording[self.name], kind, "model", "model_not_found")

    async def _generate(self, route: ModuleType, request: Request) -> Response:
        body = await self._read(request)
        replies = route.replies(self.name, body)
        if body.get("stream"):
            stream = chat.events(route.chunks(body, replies), self._pace)
            return StreamingResponse(stream, media_type="text/event-stream")
        return JSONResponse(route.completion(body, replies))

    async def _ollama(self, is_chat: bool, request: Request) -> Response:
        body = await self._read(request)
        said = ollama.reply(self.name, body, is_chat=is_chat)
        if body.get("stream", True):
            stream = ollama.paced(ollama.lines(body, said, is_chat=is_chat), self._pace)
            return StreamingResponse(stream, media_type="application/x-ndjson")
        return JSONResponse(ollama.whole(body, said, is_chat=is_chat))

    async def _embed(self, request: Request) -> Response:
        return JSONResponse(embeddings.embeddings(await self._read(request)))

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _list_models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [self._entry(model) for model in self.models]})

    async def _one_model(self, request: Request) -> Response:
        model = request.path_params["model"]
        self._check_model(model)
        return JSONResponse(self._entry(model))

    def _entry(self, model: str) -> dict[str, Any]:
        return {"id": model, "object": "model", "created": answers.CREATED, "owned_by": f"demo-{self.name}"}

    async def _ollama_banner(self, _: Request) -> Response:
        return PlainTextResponse("Ollama is running (demo)")

    async def _ollama_ps(self, _: Request) -> Response:
        return JSONResponse({"models": []})

    async def _ollama_tags(self, _: Request) -> Response:
        details = {"format": "gguf", "family": "demo"}
        return JSONResponse(
            {"models": [{"name": name, "model": name, "details": details} for name in self.models]}
        )
