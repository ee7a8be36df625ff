"""Errors in the format of the route that they answer."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.answers.error_format import in_format

OPENAI = {"error": {"message": "no", "type": "model_not_found", "param": "model", "code": "404"}}
MISTAKES = {"detail": [{"loc": ["body", "model"], "msg": "Field required", "type": "missing"}, "or so"]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, OPENAI, "not_found_error", "no"),
        (401, OPENAI, "authentication_error", "no"),
        (403, OPENAI, "permission_error", "no"),
        (400, OPENAI, "invalid_request_error", "no"),
        (413, OPENAI, "request_too_large", "no"),
        (429, OPENAI, "rate_limit_error", "no"),
        (503, OPENAI, "api_error", "no"),
        (405, {"detail": "Method Not Allowed"}, "invalid_request_error", "Method Not Allowed"),
        (500, {"error": "broken"}, "api_error", "broken"),
        (422, MISTAKES, "invalid_request_error", "body.model: Field required; or so"),
    ],
)
def test_an_error_on_messages_is_anthropics(status: int, body: Any, kind: str, message: str) -> None:
    """The type is Anthropic's for that status; the text stays, and the word that says more."""
    code = {"code": "model_not_found"} if body is OPENAI else {}
    expected = {"type": "error", "error": {"type": kind, "message": message, **code}}
    assert in_format("anthropic", status, body) == expected
    assert in_format("anthropic", status, expected) is expected


@pytest.mark.parametrize("style", ["openai", "responses"])
def test_fastapis_detail_is_openais_error(style: str) -> None:
    """SDKs of OpenAI look for `error`; what has one stays as it is, as does what is no object."""
    found = in_format(style, 422, MISTAKES)
    assert found["error"] == {
        "message": "body.model: Field required; or so",
        "type": "invalid_request_error",
        "param": None,
        "code": "422",
    }
    assert in_format(style, 404, OPENAI) is OPENAI
    assert in_format(style, 404, ["no"]) == ["no"]


def test_googles_stays() -> None:
    """Google's SDK reads `error` as well, with a code that is a number."""
    assert in_format("google", 404, OPENAI) is OPENAI
