"""Keeps LiteLLM's router from asking a group again that has reached a limit of `homelab.timeouts`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import litellm
from litellm import Router

from litellm_homelab.adapter import context

PLACE: Final = "make_call"
DONE: Final = "_homelab_no_retry"


class AskedAgain(litellm.Timeout):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """A group is about to be asked again that has reached a limit for this request: nothing is sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message=message, model="", llm_provider="", num_retries=0)


def install() -> None:
    """
    Note on an attempt's error that it is not to be retried, once it has reached a limit.

    The router looks for `num_retries` on the error; LiteLLM 1.106.2 shows its hooks a copy of it, so that the
    note is made where the router makes the call. 1.110 has its router in Rust and no such method: there, and
    with a `retry_policy`, `AskedAgain` ends each retry before anything is sent.
    """
    original = getattr(Router, PLACE, None)
    if original is not None and not hasattr(original, DONE):
        setattr(Router, PLACE, _noting(original))


def _noting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def make_call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - LiteLLM's signature
        try:
            return await original(*args, **kwargs)
        except Exception as error:
            if reached_a_limit():
                error.num_retries = 0  # type: ignore[attr-defined]  # the router looks for it
            raise

    setattr(make_call, DONE, True)
    return make_call


def reached_a_limit() -> bool:
    """Whether the last attempt of this request reached a limit of its group."""
    record, chosen = context.current(), context.chosen()
    timed = chosen.timed if chosen is not None else None
    if record is None or timed is None or not record.timeouts:
        return False
    return record.timeouts[-1][0] == timed.group
