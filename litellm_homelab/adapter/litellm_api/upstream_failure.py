"""Reads how an attempt failed from the exception that LiteLLM made of it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any, Final

import aiohttp
import httpx
import openai

from litellm_homelab.attempts.failures import Failure

HTTPX2: Final = importlib.import_module("httpx2") if importlib.util.find_spec("httpx2") else httpx
"""What version 3 of OpenAI's SDK sends with; before it is not always installed."""
LONGEST: Final = 30
"""Exceptions of a chain that are looked at."""
UNREACHABLE: Final = (
    *(openai.APIConnectionError, httpx.TransportError, HTTPX2.TransportError, aiohttp.ClientError),
    *(TimeoutError, ConnectionError),
)
"""
Exceptions of the wire, by the clients that LiteLLM uses: OpenAI's SDK, httpx, httpx2, aiohttp.

httpx's and OpenAI's timeouts are among them.
"""
BAD_REQUEST: Final = "invalid_request_error"
"""The type of a bad request's error in OpenAI's API, and in those that are made after it."""
LOCAL: Final = (ImportError, OSError)
"""Failures of this machine while a request is prepared: a missing package, an unreadable key file."""
LOGINS: Final = ("google.auth", "botocore", "azure.core", "azure.identity", "msal")
"""Packages whose errors are about an operator's credentials, before a request can be sent."""
PYTHONS: Final = (
    *(AttributeError, TypeError, LookupError, ValueError),
    *(AssertionError, NotImplementedError, RecursionError),
)
"""What Python raises where code meets a value that it did not expect; pydantic's errors are ValueErrors."""


def failure(error: BaseException, *, sent: bool) -> Failure:
    """
    How an attempt failed.

    LiteLLM's own exceptions are not asked for the upstream's status: it picks their class by words in the
    error's text. What they were made from is their cause or context (measured on 1.106.2).

    Args:
        error: LiteLLM's exception, or any.
        sent: whether LiteLLM was about to send a request, as far as its hooks say.

    """
    status = _number(getattr(error, "status_code", None))
    for one in _chain(error):
        answered = _answered(one)
        if answered is not None:
            return Failure(sent=True, answered=answered, status=status)
        if isinstance(one, UNREACHABLE):
            return Failure(sent=True, unreachable=True, status=status)
    is_local = not sent and any(_is_local(one) for one in _chain(error))
    return Failure(sent=sent or is_local, status=status)


def said(error: BaseException) -> str:
    """The upstream's own message, as far as an exception of the chain has it; else the exception's text."""
    for one in _chain(error):
        if isinstance(one, httpx.HTTPStatusError):
            with contextlib.suppress(ValueError, httpx.ResponseNotRead):
                found = _message(one.response.json())
                if found:
                    return found
        elif isinstance(one, openai.APIError):
            found = _message(one.body)
            if found:
                return found
    return str(getattr(error, "message", None) or error)


def _message(body: object) -> str:
    """The text of an error object in the shapes of OpenAI, Ollama and FastAPI; empty where it has none."""
    for name in ("error", "message", "detail"):
        inner = body.get(name) if isinstance(body, Mapping) else None
        if inner:
            return inner if isinstance(inner, str) else _message(inner)
    return ""


def is_pythons(error: BaseException) -> bool:
    """Whether an exception is, or was made from, one that Python raises for an unexpected value."""
    return any(isinstance(one, PYTHONS) for one in _chain(error))


def says_pythons(error: BaseException, text: str) -> bool:
    """Whether a text repeats a message of Python's own, which means nothing to a client."""
    found = (one for one in _chain(error) if isinstance(one, PYTHONS) and not isinstance(one, ValueError))
    return any(str(one) in text for one in found)


def _is_local(error: BaseException) -> bool:
    return isinstance(error, LOCAL) or type(error).__module__.startswith(LOGINS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it was made from, the nearest first, without LiteLLM's own."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting and len(seen) < LONGEST:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if not type(one).__module__.startswith("litellm"):
            yield one
        original = getattr(one, "original_exception", None)  # of a stream that broke
        waiting += [original if isinstance(original, BaseException) else None, one.__cause__, one.__context__]


def _answered(error: BaseException) -> int | None:
    """The status in an HTTP answer of the upstream's, or in the error event of its stream."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code
    if isinstance(error, openai.APIStatusError):
        return error.status_code
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        return _told(error.body)
    return None


def _told(body: object) -> int | None:
    """The status that an error event names; vLLM and llama.cpp write it as `code`."""
    found: Any = body.get("error", body) if isinstance(body, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    status = _number(found.get("code"))
    return 400 if status is None and found.get("type") == BAD_REQUEST else status


def _number(value: object) -> int | None:
    """A status, written as number or text; None for anything else."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() and text[0] in "345" else None
