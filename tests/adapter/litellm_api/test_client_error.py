"""Errors as the client gets them: scrubbed, with the status, type and time to come back that were meant."""

from __future__ import annotations

from types import SimpleNamespace

import litellm
import pytest
from litellm.types.router import RouterRateLimitError

from litellm_homelab.adapter.litellm_api.client_error import (
    ClientError,
    StreamBroken,
    refined,
    scrubber,
    status_of,
    text_of,
)
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.decision import RefusalType, Refuse

UPSTREAM = "openai/real-main"
SCRUB = scrubber(
    [
        {
            "model_name": "rung-1",
            "litellm_params": {"model": UPSTREAM, "api_base": "http://10.0.0.7:8080/v1"},
            "model_info": {"id": "4f0c"},
        },
        {"model_name": "main", "litellm_params": {"model": "openai/main"}, "model_info": None},
        {},
    ],
    ["main", "deep"],
)


def test_everything_the_router_knows_is_scrubbed() -> None:
    """Groups, models with and without their provider, addresses and deployment ids; handles stay."""
    told = "main, deep: rung-1, openai/real-main, real-main, 4f0c at http://10.0.0.7:8080/v1 (10.0.0.7)"
    hidden = "main, deep: upstream, upstream, upstream, upstream at upstream (upstream)"
    assert SCRUB(told) == hidden


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        pytest.param(
            litellm.NotFoundError("no real-main here", model=UPSTREAM, llm_provider="openai"),
            404,
            "litellm.NotFoundError: no upstream here",
            id="LiteLLM's",
        ),
        pytest.param(
            litellm.RateLimitError("slow down", model=UPSTREAM, llm_provider="openai"),
            429,
            "litellm.RateLimitError: slow down",
            id="LiteLLM's without a name in its text",
        ),
        pytest.param(ValueError("cannot reach 10.0.0.7:8080"), 500, "cannot reach upstream", id="any other"),
    ],
)
def test_an_upstreams_error_keeps_its_status_and_loses_its_names(
    error: Exception, status: int, message: str
) -> None:
    """The client learns what went wrong, not where."""
    clean = refined(error, SCRUB)
    assert clean is not None
    assert (clean.status_code, clean.message, clean.detail) == (status, message, message)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("a plain mistake"), id="nothing to hide"),
        pytest.param(Refused(Refuse(RefusalType.MODEL_NOT_FOUND, "no rung for you")), id="our refusal"),
        pytest.param(ClientError(502, "rung"), id="cleaned already"),
        pytest.param(StreamBroken(ClientError(502, "rung")), id="cleaned already, in a stream"),
    ],
)
def test_an_error_that_says_nothing_of_upstreams_stays(error: Exception) -> None:
    """None: LiteLLM shows the one there is."""
    assert refined(error, SCRUB) is None


@pytest.mark.parametrize(
    ("message", "body", "text"),
    [
        ("Error code: 500", "OptiLLM's words", "Error code: 500 - OptiLLM's words"),
        ("litellm.X: Error code: 422", {"detail": "why"}, "litellm.X: Error code: 422 - {'detail': 'why'}"),
        ("Error code: 500 - {'error': 'why'}", {"error": "why"}, "Error code: 500 - {'error': 'why'}"),
        ("what the upstream said", {"message": "what"}, "what the upstream said"),
        ("Error code: 500", None, "Error code: 500"),
    ],
    ids=["text", "detail", "version_2", "message", "no_body"],
)
def test_the_text_of_an_error_has_what_the_upstream_said(message: str, body: object, text: str) -> None:
    """Version 3 of the OpenAI SDK leaves a body without a `message` out of its text."""
    error = RuntimeError(message)
    error.body = body  # type: ignore[attr-defined]  # as the SDK's exceptions have it
    assert text_of(error) == text


@pytest.mark.parametrize("where", ["headers", "litellm_response_headers", "response"])
def test_when_to_come_back_is_told(where: str) -> None:
    """A retry-after of the upstream or of the router's cooldown survives the cleaning."""
    error = ValueError("rung-1 is resting")
    headers = {"retry-after": "7", "server": "uvicorn"}
    setattr(error, where, SimpleNamespace(headers=headers) if where == "response" else headers)
    clean = refined(error, SCRUB)
    assert clean is not None
    assert clean.headers == {"retry-after": "7"}


@pytest.mark.parametrize(
    ("seconds", "headers"), [(14.2, {"retry-after": "15"}), (5, {"retry-after": "5"}), (0, {}), (None, {})]
)
def test_the_rest_of_a_cooldown_is_told(seconds: float | None, headers: dict[str, str]) -> None:
    """The router's own 429 has the seconds that are left in an attribute, not in headers."""
    error = RouterRateLimitError("main", 0, enable_pre_call_checks=False, cooldown_list=["rung-1"])
    error.cooldown_time = seconds
    clean = refined(error, SCRUB)
    assert clean is not None
    assert (clean.headers or {}) == headers


def test_a_cleaned_error_takes_the_place_of_the_original() -> None:
    """Routes that build their answer from the exception itself find nothing else in it."""
    original = litellm.NotFoundError("no real-main here", model=UPSTREAM, llm_provider="openai")
    clean = ClientError.of(Refuse(RefusalType.POLICY_ERROR, "ask the operator", param="model"))
    assert clean.replace(original) is clean
    assert (original.message, original.args, original.status_code) == (
        "ask the operator",
        ("ask the operator",),
        503,
    )
    assert (original.type, original.param, original.code) == ("policy_error", "model", "503")
    assert original.headers == {"x-should-retry": "false"}
    assert "real-main" not in str(original)


@pytest.mark.parametrize(
    ("attributes", "status"),
    [
        ({}, 500), ({"status_code": 404}, 404), ({"code": "429"}, 429), ({"code": "rate_limit"}, 500),
        ({"status_code": None, "code": 400}, 400), ({"status_code": 200}, 500), ({"status_code": 600}, 500),
        ({"code": "\u00b2"}, 500), ({"status_code": True}, 500), ({"code": [404]}, 500),
    ],
    ids=repr,
)  # fmt: skip
def test_the_status_of_an_error(attributes: dict[str, object], status: int) -> None:
    """LiteLLM writes it as a number or as text, or not at all."""
    error = ValueError("x")
    for name, value in attributes.items():
        setattr(error, name, value)
    assert status_of(error) == status
