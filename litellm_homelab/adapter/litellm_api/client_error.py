"""Errors as the client gets them: without upstream names, with the status and type that were meant."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpx
import openai
from fastapi import HTTPException
from litellm.litellm_core_utils.secret_redaction import redact_internal_details

from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.answers import redaction, unsupported
from litellm_homelab.answers.redaction import Words
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.showroom import outward

WHEN = re.compile(r"\d{1,9}(\.\d{1,9})?|\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
"""Seconds, or a date (RFC 9110, section 10.2.3); nothing else is passed on as `retry-after`."""

WITHOUT_BODY: Final = re.compile(r"Error code: \d{3}$")
"""How the OpenAI SDK's text of an error ends that says nothing but its status."""
FAILURE: Final = 500
LONGEST_CHAIN: Final = 8
"""Exceptions behind one that are looked at."""


class ClientError(HTTPException):
    """An error as the client gets it: its status, a text without internal names, its type and param."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str | None = None,  # noqa: A002 - the field's name in the OpenAI format
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status_code=status, detail=message, headers=headers)
        self.message = message
        if type is not None:  # LiteLLM takes both from the exception where it has them
            self.type, self.param = type, param

    @classmethod
    def of(cls, refusal: Refuse) -> ClientError:
        """The error that says a refusal."""
        return cls(
            refusal.status, refusal.message, type=refusal.type, param=refusal.param, headers=refusal.headers
        )

    def replace(self, original: Exception) -> ClientError:
        """
        Put this error in the place of `original`, in which case LiteLLM may look at either.

        `/v1/completions` and `/v1/messages` do not look at what a failure hook returns: they build their
        answer from the exception itself (measured on LiteLLM 1.106.2).
        """
        original.args = (self.message,)
        changes = {"message": self.message, "status_code": self.status_code, "code": str(self.status_code)}
        extra = {"type": self.type, "param": self.param} if hasattr(self, "type") else {}
        for name, value in {**changes, **extra, "headers": self.headers or {}}.items():
            with contextlib.suppress(AttributeError):  # an exception may compute an attribute
                setattr(original, name, value)
        return self


class StreamBroken(Exception):
    """
    An error after the first chunk: LiteLLM sends its message, type and status as a last event.

    It must be no HTTPException, for which LiteLLM would cut the connection (measured on 1.106.2).
    """

    def __init__(self, error: ClientError) -> None:
        super().__init__(error.message)
        self.message, self.status_code = error.message, error.status_code
        self.type, self.param = getattr(error, "type", "internal_server_error"), getattr(error, "param", None)


def refined(error: Exception, scrub: Callable[[str], str]) -> ClientError | None:
    """
    The error that the client should get instead, None where the one there is says nothing of upstreams.

    LiteLLM's exceptions of upstream calls carry `llm_provider`; their further fields may hold the
    upstream's own body, so they are always replaced. A guardrail's mapping stays one.
    """
    if isinstance(error, Refused | ClientError | StreamBroken) or is_guardrails(error):
        return None
    message = text_of(error)
    if unsupported.is_advice(message):
        return _unsupported(error, message, scrub)
    clean = scrub(message)
    if clean == message and not getattr(error, "llm_provider", None):
        return None
    kind = getattr(error, "type", None)
    return ClientError(
        status_of(error), clean, type=kind if isinstance(kind, str) else None, headers=retry_after(error)
    )


def _unsupported(error: Exception, message: str, scrub: Callable[[str], str]) -> ClientError:
    """The error for a parameter that LiteLLM does not send: a 400, where LiteLLM has a 500 (1.106.2)."""
    found = unsupported.readable(message)
    return ClientError(
        status_of(error) if status_of(error) < FAILURE else 400,
        scrub(found.message),
        type=RefusalType.PARAM_NOT_ALLOWED,
        param=found.param,
    )


def is_guardrails(error: Exception) -> bool:
    """Whether an error is a guardrail's that says more than a text: an HTTPException with a mapping."""
    detail: object = error.detail if isinstance(error, HTTPException) else None
    return isinstance(detail, dict) and not getattr(error, "llm_provider", None)


def retry_after(error: Exception) -> dict[str, str] | None:
    """When to come back: the rest of the router's cooldown, or what the upstream's headers say."""
    resting = getattr(error, "cooldown_time", None)  # LiteLLM looks at it only where we replace nothing
    if isinstance(resting, int | float) and resting > 0:
        return {"retry-after": str(math.ceil(resting))}
    response = getattr(error, "response", None)
    for headers in (
        getattr(error, "headers", None),
        getattr(error, "litellm_response_headers", None),  # where 1.106.2 keeps the upstream's
        getattr(response, "headers", None),
    ):
        value = httpx.Headers(headers).get("retry-after", "")
        if WHEN.fullmatch(value):
            return {"retry-after": value}
    return None


def text_of(error: BaseException) -> str:
    """
    The text of an exception, as LiteLLM would show it.

    Where an upstream's body has no `message`, version 3 of the OpenAI SDK says the status only and keeps the
    body apart (3.57; version 2 wrote both). OptiLLM's errors and FastAPI's are such bodies.
    """
    text = str(getattr(error, "message", None) or getattr(error, "detail", None) or error)
    body = getattr(error, "body", None)
    return f"{text} - {body}" if body and WITHOUT_BODY.search(text) else text


def status_of(error: Exception) -> int:
    """
    The HTTP status of an exception, 500 where it has none.

    From 1.108 on LiteLLM gives every error that comes as the first event of a stream a 500, whatever `code`
    it has; the SDK's own exception is behind it (measured on 1.108.7).
    """
    found = _own_status(error)
    return found if found != FAILURE else _status_of_event(error)


def _own_status(error: BaseException) -> int:
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int | str) and str(value).isdecimal() and 400 <= int(value) <= 599:
            return int(value)
    return FAILURE


def _status_of_event(error: BaseException) -> int:
    """The status that an SDK read from an event: of the exceptions that led here, the nearest first."""
    waiting: list[BaseException] = [error]
    for _ in range(LONGEST_CHAIN):
        if not waiting:
            break
        one = waiting.pop(0)
        if type(one) is openai.APIError:  # the class itself: those of LiteLLM are derived from it
            return _own_status(one)
        waiting += [before for before in (one.__cause__, one.__context__) if before is not None]
    return FAILURE


def cleaned(text: str, names: outward.Scrubber, words: Words) -> str:
    """
    A text without the router's names, without what LiteLLM redacts, and without what this package redacts.

    LiteLLM redacts an exception's own message when it makes the answer (keys, tokens, paths, tracebacks,
    internal hosts, 1.106.2), but not one that a failure hook gave it, nor one in the middle of a stream.
    """
    said = redaction.message(text, words)
    return redaction.redacted(redact_internal_details(names(said)), words)


def scrubber(deployments: Iterable[dict[str, Any]], public: Iterable[str]) -> outward.Scrubber:
    """A scrubber for everything that LiteLLM's router knows: groups, models, addresses, deployment ids."""
    names: set[str] = set()
    addresses: set[str] = set()
    for deployment in deployments:
        params, info = deployment.get("litellm_params") or {}, deployment.get("model_info") or {}
        names |= {str(deployment.get("model_name", "")), str(info.get("id") or "")}
        names |= set(outward.model_words(str(params.get("model") or "")))
        addresses |= set(outward.address_words(str(params.get("api_base") or "")))
    return outward.Scrubber.of(names, addresses, public)
