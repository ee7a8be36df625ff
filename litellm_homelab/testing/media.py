"""Stand-ins for speech, pictures and moderation: the shapes that OpenAI documents, without content."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TEXT = "a demo transcribes nothing"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def _transcription(_: Request) -> Response:
    return JSONResponse({"text": TEXT})


async def _speech(_: Request) -> Response:
    return Response(b"demo", media_type="audio/mpeg")


async def _images(_: Request) -> Response:
    return JSONResponse({"created": 1, "data": [{"b64_json": PIXEL}]})


async def _moderation(_: Request) -> Response:
    result = {"flagged": False, "categories": {}, "category_scores": {}}
    return JSONResponse({"id": "modr-demo", "model": "demo", "results": [result]})


def routes() -> list[Route]:
    """Return the routes of a backend that speaks, hears, draws and moderates, whatever it is sent."""
    return [
        Route("/v1/audio/transcriptions", _transcription, methods=["POST"]),
        Route("/v1/audio/speech", _speech, methods=["POST"]),
        Route("/v1/images/generations", _images, methods=["POST"]),
        Route("/v1/images/edits", _images, methods=["POST"]),
        Route("/v1/moderations", _moderation, methods=["POST"]),
    ]
