"""Reading OpenAI-shaped request bodies: what every demo backend checks, and what the strict one refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from openai.types.chat.completion_create_params import CompletionCreateParamsBase as ChatParams
from openai.types.completion_create_params import CompletionCreateParamsBase as CompletionParams
from openai.types.embedding_create_params import EmbeddingCreateParams
from starlette.requests import Request
from starlette.responses import JSONResponse

# What OpenAI's own API takes, as its SDK knows it; the SDK keeps `stream` in subclasses.
KNOWN_FIELDS: Final = {
    "/v1/chat/completions": frozenset(ChatParams.__annotations__) | {"stream"},
    "/v1/completions": frozenset(CompletionParams.__annotations__) | {"stream"},
    "/v1/embeddings": frozenset(EmbeddingCreateParams.__annotations__),
}
MISTRAL_FIELDS: Final = frozenset(
    {"model", "messages", "stream", "temperature", "top_p", "max_tokens", "stop", "random_seed", "metadata"}
    | {"response_format", "tools", "tool_choice", "presence_penalty", "frequency_penalty", "n", "prediction"}
    | {"parallel_tool_calls", "prompt_mode", "reasoning_effort", "guardrails", "prompt_cache_key"}
    | {"safe_prompt"}
)
"""What Mistral's chat API takes (docs.mistral.ai, API specification, 2026); any other field is a 422."""
MAX_CHOICES: Final = 128  # OpenAI's own limit


@dataclass
class BadRequestError(Exception):
    """A request that the backend refuses; ``kind`` is OpenAI's error ``type``."""

    status: int
    message: str
    kind: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None

    def response(self) -> JSONResponse:
        """The error as OpenAI words it."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return JSONResponse({"error": error}, status_code=self.status)


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; anything else is a 400."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise BadRequestError(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise BadRequestError(400, f"The body must be a JSON object (got {type(body).__name__}).")
    return body


def refuse_unknown_fields(path: str, body: dict[str, Any]) -> None:
    """Refuse the first field that the model's cloud does not take: Mistral's list, else OpenAI's."""
    if str(body.get("model", "")).startswith("mistral") and path.endswith("/chat/completions"):
        unknown = next((name for name in body if name not in MISTRAL_FIELDS), None)
        if unknown is not None:  # Mistral's wording and status
            raise BadRequestError(422, f"body.{unknown}: Extra inputs are not permitted", param=unknown)
        return
    for name in body:
        if name not in KNOWN_FIELDS[path]:
            raise BadRequestError(400, f"Unrecognized request argument supplied: {name}")


def choices(body: dict[str, Any]) -> int:
    """``n``, 1 where absent or null."""
    return whole_number(body, "n", default=1, most=MAX_CHOICES)


def whole_number(body: dict[str, Any], name: str, default: int, most: int | None = None) -> int:
    """A whole number of at least 1; anything else is a 400 that names the field."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or (most and value > most):
        valid = f"1 to {most}" if most else "1 or more"
        raise BadRequestError(400, f"Invalid value for '{name}': {value!r} (valid: {valid}).", param=name)
    return value


def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The chat messages; a missing or empty list, or one with something else in it, is a 400."""
    given = body.get("messages")
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise BadRequestError(400, "'messages' must be a non-empty list of objects.", param="messages")
    return given


def text_of(content: object) -> str:
    """The text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return " ".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)


def stops(body: dict[str, Any]) -> tuple[str, ...]:
    """``stop`` as a tuple of non-empty strings."""
    given = body.get("stop")
    listed = given if isinstance(given, list) else [given]
    return tuple(item for item in listed if isinstance(item, str) and item)
