"""Errors in the shapes of OpenAI, Anthropic, Google, FastAPI and of local servers, without what names an
upstream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litellm_homelab.answers import error_words
from litellm_homelab.answers.shapes import DROPPED, View, number

FIELDS: Final = frozenset(
    {"sequence_number", "message", "type", "param", "code", "status", "error", "detail", "loc", "msg", "line"}
)
"""
Fields of error objects that clients read: OpenAI's `message`, `type`, `param`, `code`; Anthropic's `type` and
`error`; Google's `code`, `message`, `status`; FastAPI's `detail` with `loc` and `msg`; a batch's `line`.
All else
is removed: `provider_specific_fields`, `metadata` (OpenRouter: the provider's name and its raw answer),
`failed_generation`, `request_id`, `details`, `event_id`.
"""
DEEPEST: Final = 8
"""Levels of an error that are read: OptiLLM nests the errors of its calls in its own."""
TOO_DEEP: Final = "..."


def shown(value: Any, view: View, depth: int = 0) -> Any:  # noqa: ANN401 - JSON of any shape
    """A copy of an error, at any level: known fields only, and every text in them cleaned."""
    if isinstance(value, str):
        return view.clean(value)
    if depth >= DEEPEST:
        return TOO_DEEP
    if isinstance(value, Mapping):
        return {key: _field(key, inner, view, depth) for key, inner in value.items() if key in FIELDS}
    if isinstance(value, list):
        return [shown(one, view, depth + 1) for one in value]
    return None if number(value, view) is DROPPED else value


def _field(key: str, value: Any, view: View, depth: int) -> Any:  # noqa: ANN401 - JSON of any shape
    if key in {"type", "code", "status"} and isinstance(value, str):
        return value if error_words.is_known(value) else None
    return shown(value, view, depth + 1)


def own_detail(value: Any, view: View) -> Any:  # noqa: ANN401 - JSON of any shape
    """
    A copy of what an operator's guardrail says about its refusal: any field, every text cleaned.

    A guardrail answers with a mapping of its own design, which its clients read.
    """
    if isinstance(value, str):
        return view.clean(value)
    if isinstance(value, Mapping):
        return {key: own_detail(inner, view) for key, inner in value.items()}
    return [own_detail(one, view) for one in value] if isinstance(value, list) else value


def is_error(event: Mapping[str, Any]) -> bool:
    """Whether an event of a stream is an error and nothing else, in any of the formats."""
    return event.get("type") == "error" or (bool(event.get("error")) and event.keys() <= FIELDS)


ANTHROPIC_STATUS: Final = {
    "invalid_request_error": 400, "authentication_error": 401, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "overloaded_error": 529,
}  # fmt: skip
"""https://docs.anthropic.com/en/api/errors, read on 2026-11-25."""


def status_of(event: Mapping[str, Any], default: int = 500) -> int:
    """The HTTP status that an error event says, in its code, status or type; else `default`."""
    inner = event.get("error")
    for place in (inner if isinstance(inner, Mapping) else {}, event):
        for name in ("code", "status", "status_code"):
            code = place.get(name)
            if isinstance(code, int | str) and str(code).isdecimal() and 400 <= int(code) <= 599:
                return int(code)
        known = ANTHROPIC_STATUS.get(str(place.get("type")))
        if known is not None:
            return known
    return default
