"""How an attempt failed, read from exceptions as LiteLLM makes them."""

from __future__ import annotations

from typing import Any

import aiohttp
import httpx
import httpx2
import litellm
import openai
import pytest
from litellm.llms.openai.common_utils import OpenAIError

from litellm_homelab.adapter.litellm_api.upstream_failure import failure
from litellm_homelab.attempts.failures import Failure, is_final, rests

REQUEST: Any = httpx.Request(
    "POST", "http://127.0.0.1:1/v1/chat/completions"
)  # the SDK asks for its own: of httpx2 since version 3
ECHOES = ("rate limit", "429", "A timeout occurred", "model_not_found invalid_request_error", "Overloaded")
"""Texts of a client that an upstream repeats, and that LiteLLM takes for the kind of the error."""


def mapped(cause: Exception, provider: str = "openai") -> Exception:
    """What the router gets of an exception: LiteLLM's handler and its mapping, each in its own except."""
    try:
        try:
            raise cause
        except Exception as error:  # noqa: BLE001 - as LiteLLM does
            status = getattr(error, "status_code", 500)
            raise OpenAIError(status_code=status, message=str(error), headers={}) from None
    except Exception as error:  # noqa: BLE001 - as LiteLLM does
        try:
            litellm.exception_type(model="x", original_exception=error, custom_llm_provider=provider)
        except Exception as final:  # noqa: BLE001 - what a hook gets
            return final
    raise AssertionError("LiteLLM made nothing of it")


def answered(status: int, text: str = "no") -> Exception:
    """An HTTP answer as OpenAI's SDK raises it."""
    response: Any = httpx.Response(status, request=REQUEST, json={"error": {"message": text}})
    return openai.OpenAI(api_key="x")._make_status_error_from_response(response)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "mistral", "ollama", "hosted_vllm"])
def test_the_status_is_the_upstreams(provider: str, status: int) -> None:
    """Whichever exception LiteLLM chose for it."""
    found = failure(mapped(answered(status), provider), sent=True)
    assert found.answered == status


@pytest.mark.parametrize("text", ECHOES)
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_text_does_not_make_a_400_anything_else(provider: str, text: str) -> None:
    """LiteLLM makes a 429, a timeout or a 500 of some of them; none rests the deployment."""
    assert not rests(failure(mapped(answered(400, text), provider), sent=True))


@pytest.mark.parametrize(
    "cause",
    [
        openai.APIConnectionError(request=REQUEST),
        openai.APITimeoutError(request=REQUEST),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("silent"),
        httpx2.ReadError("dropped"),
        httpx.RemoteProtocolError("dropped"),
        aiohttp.ClientConnectionError(),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_the_wire_is_seen_whether_or_not_a_hook_said_that_it_was_used(cause: Exception) -> None:
    """Some routes tell no hook that they send."""
    for sent in (True, False):
        found = failure(mapped(cause), sent=sent)
        assert (found.unreachable, rests(found), is_final(found)) == (True, True, False)


@pytest.mark.parametrize(
    "cause",
    [AttributeError("x"), TypeError("x"), KeyError("x"), ValueError("x")],
    ids=lambda cause: type(cause).__name__,
)
def test_a_crash_before_anything_is_sent_is_litellms_own(cause: Exception) -> None:
    """It ends the request and rests nothing; after that it is an answer that could not be read."""
    before, after = failure(mapped(cause), sent=False), failure(mapped(cause), sent=True)
    assert (rests(before), is_final(before)) == (False, True)
    assert (rests(after), is_final(after)) == (True, False)


@pytest.mark.parametrize(
    "error", [litellm.UnsupportedParamsError, litellm.BadRequestError, litellm.NotFoundError]
)
def test_litellms_own_errors_are_litellms_own(error: Any) -> None:
    """Their classes are OpenAI's too, with an answer that nobody gave."""
    made = error(message="no", model="x", llm_provider="openai")
    assert failure(made, sent=False).answered is None
    assert is_final(failure(made, sent=False))


@pytest.mark.parametrize(
    "cause", [ImportError("boto3"), PermissionError("key file")], ids=["package", "file"]
)
def test_what_this_machine_lacks_goes_on_to_the_next_group(cause: Exception) -> None:
    """No client can mend it."""
    assert not is_final(failure(mapped(cause), sent=False))


@pytest.mark.parametrize(
    ("code", "expected"), [(400, False), ("404", False), (500, True), ("rate_limit", True), (None, True)]
)
def test_the_error_event_of_a_stream_has_a_status(code: object, expected: bool) -> None:
    """vLLM and llama.cpp send a bad request's error after a 200, with its status as `code`."""
    broken = openai.APIError("no", REQUEST, body={"message": "no", "code": code})
    assert rests(failure(mapped(broken), sent=True)) is expected


def test_a_chain_without_end_is_read_to_a_bound() -> None:
    """An exception may be its own context."""
    first, second = ValueError("1"), ValueError("2")
    first.__context__, second.__context__ = second, first
    assert failure(first, sent=True) == Failure(sent=True)
