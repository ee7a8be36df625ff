"""Errors in the format of a route's API, whether this package, LiteLLM or FastAPI wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

ANTHROPIC: Final[Mapping[int, str]] = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)
"""Anthropic's error types by status (docs.anthropic.com/en/api/errors, read on 2026-11-25)."""
OPENAI: Final[Mapping[int, str]] = MappingProxyType(
    {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
)
"""OpenAI's error types by status; any other 4xx is an `invalid_request_error`."""
BROKEN: Final = 500


def in_format(style: str, status: int, body: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """
    An error's body in the format of a route (`style` of `routes.Answers`).

    FastAPI writes `{"detail": ...}`, and LiteLLM answers in OpenAI's format on `/v1/messages` wherever the
    error comes before the route's own code: 401, 403, 404, 405, 413 (measured on 1.106.2).
    """
    if not isinstance(body, Mapping):
        return body
    if style == "anthropic":
        return body if body.get("type") == "error" else _anthropic(status, body)
    if style in {"openai", "responses"} and "detail" in body and "error" not in body:
        return _openai(status, body)
    return body


def _anthropic(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """Anthropic's word for the status is the type; the word that says more, where there is one, the code."""
    kind = ANTHROPIC.get(status, "api_error" if status >= BROKEN else "invalid_request_error")
    found = body.get("error")
    own = found.get("type") if isinstance(found, Mapping) else None
    code = {"code": own} if isinstance(own, str) and own != kind else {}
    return {"type": "error", "error": {"type": kind, "message": _said(body), **code}}


def _openai(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    kind = OPENAI.get(status, "internal_server_error" if status >= BROKEN else "invalid_request_error")
    return {"error": {"message": _said(body), "type": kind, "param": None, "code": str(status)}}


def _said(body: Mapping[str, Any]) -> str:
    """The text of an error: OpenAI's `error.message`, FastAPI's `detail`, which may be a list of mistakes."""
    found = body.get("error", body.get("detail", body.get("message")))
    if isinstance(found, Mapping):
        found = found.get("message") or found.get("error") or found
    if isinstance(found, list):
        return "; ".join(map(_mistake, found))
    return str(found)


def _mistake(one: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """One of FastAPI's: `{"loc": ["body", "model"], "msg": "Field required"}`."""
    if not isinstance(one, Mapping):
        return str(one)
    place = ".".join(map(str, one.get("loc") or ()))
    return f"{place}: {one.get('msg')}" if place else str(one.get("msg"))
