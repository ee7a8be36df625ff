"""Counts the tokens of a request in this process; LiteLLM's counters take any name and ask the upstream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import litellm
from fastapi import Depends, FastAPI, Request
from litellm.proxy._types import ProxyException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from litellm_homelab.adapter import context
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.litellm_api.exceptions import response as to_response
from litellm_homelab.adapter.policies.request_opening import RequestOpening
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.formats.token_counts import countable
from litellm_homelab.showroom.rule import Showroom

RULE: Final = "showroom"


@dataclass(frozen=True, slots=True)
class Counter:
    """One API's counter: the call type whose handles it serves, and the answer for a number of tokens."""

    call_type: str
    answer: Callable[[int], dict[str, Any]]


MESSAGES: Final = Counter("anthropic_messages", lambda tokens: {"input_tokens": tokens})
RESPONSES: Final = Counter(
    "aresponses", lambda tokens: {"object": "response.input_tokens", "input_tokens": tokens}
)
GENERATE: Final = Counter("agenerate_content", lambda tokens: {"totalTokens": tokens})
PATHS: Final[Mapping[str, Counter]] = {
    "/v1/messages/count_tokens": MESSAGES,
    "/v1/responses/input_tokens": RESPONSES,
    "/responses/input_tokens": RESPONSES,
    "/openai/v1/responses/input_tokens": RESPONSES,
    "/v1beta/models/{model_name:path}:countTokens": GENERATE,
    "/models/{model_name:path}:countTokens": GENERATE,
}
"""LiteLLM's routes that count, by path."""


def counting(rule: Showroom, opening: RequestOpening) -> ASGIApp:
    """
    An app that serves the routes in `PATHS` in the place of LiteLLM's, after LiteLLM's own check of the key.

    Nothing is sent anywhere: the tokenizer is LiteLLM's, so a count is near the model's own and not equal to
    it.
    """
    # LiteLLM's proxy is imported once it runs: importing it is what starts it.
    from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

    app = FastAPI(openapi_url=None)
    app.add_exception_handler(ProxyException, _failed)
    for path, counter in PATHS.items():
        app.add_api_route(
            path, _endpoint(counter, rule, opening, user_api_key_auth), methods=["POST"], response_model=None
        )
    return app


def _endpoint(counter: Counter, rule: Showroom, opening: RequestOpening, auth: Any) -> Any:  # noqa: ANN401 - FastAPI's
    async def count(request: Request, key: Any = Depends(auth)) -> Response:  # noqa: ANN401, B008
        record = context.required()
        body = record.sent or {}
        model = opening.bare(request.path_params.get("model_name") or body.get("model"))
        caller = opening.caller(key)
        record.caller, record.model = caller, model if isinstance(model, str) else None
        if record.forged is not None:
            raise Refused(rule.not_found(model, caller), RULE)
        decision = rule.request(counter.call_type, model, (), caller)
        if isinstance(decision, Refuse):
            raise Refused(decision, RULE)
        record.asked = record.model
        tokens = await asyncio.to_thread(_tokens, body)
        return JSONResponse(counter.answer(tokens))

    return count


def _tokens(body: Mapping[str, Any]) -> int:
    found = countable(body)
    text = "\n".join(found.texts)
    return found.fixed + (int(litellm.token_counter(model="", text=text)) if text else 0)


async def _failed(_: Request, error: Exception) -> Response:
    """The answer for a refusal of ours, or for what LiteLLM says of the key."""
    if isinstance(error, Refused):
        context.refused(error.rule or "gate", error.refusal)
        return to_response(error.refusal)
    status = int(getattr(error, "code", None) or 500)
    body = {
        "message": str(getattr(error, "message", error)),
        "type": getattr(error, "type", None) or RefusalType.POLICY_ERROR,
        "param": getattr(error, "param", None),
        "code": str(status),
    }
    return JSONResponse({"error": body}, status)
