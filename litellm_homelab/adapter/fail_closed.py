"""Fail closed: a deciding hook that breaks refuses."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NoReturn, ParamSpec, TypeVar

from fastapi import HTTPException

from litellm_homelab.adapter import context
from litellm_homelab.adapter.litellm_api.exceptions import Refused, Skipped, policy_error, store_failed
from litellm_homelab.adapter.litellm_api.no_retry import AskedAgain
from litellm_homelab.adapter.litellm_api.own_errors import Unsent
from litellm_homelab.adapter.log_limits import log_seldom
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.recording import add_rule, meter
from litellm_homelab.state import StateUnavailable

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("LiteLLM Proxy.homelab")
"""A child of LiteLLM's proxy logger, so that it has its handler, format and level (measured on 1.106.2)."""

STORE = "state"
"""The label `rule` of a store that fails, whichever rule asked it."""


def closed(rule: str) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """
    Turn any exception of a deciding hook, except for refusals, into a logged `policy_error` of `rule`.

    The label `rule` is known to the metrics from here on, so that an alert sees its first failure.
    """
    add_rule(rule)

    def decorate(hook: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(hook)
        async def deciding(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return await hook(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - closed, whatever it was
                reraise(rule, error)

        return deciding

    return decorate


def reraise(rule: str, error: Exception) -> NoReturn:
    """
    End a deciding stage of `rule` that raised: a refusal counts as it is, anything else as a `policy_error`.

    Raises:
        Refused: the refusal, or the `policy_error` in the place of what broke.
        HTTPException, Unsent: an error that is meant for the client already.
        Skipped: the attempt is not made; LiteLLM tries the next group.
        AskedAgain: the error of an attempt that goes on to the next group.

    """
    if isinstance(error, Refused):
        context.refused(error.rule or rule, error.refusal)
        raise error
    ctx = context.current()
    if isinstance(error, Skipped) and ctx is not None:
        ctx.skipped = (*ctx.skipped, error.refusal)
    if isinstance(error, HTTPException | Unsent | Skipped | AskedAgain):
        raise error
    refused = broken(rule, error)
    if ctx is not None:  # LiteLLM would show a fallback's first error, and no headers on streams
        ctx.outcome.refuse(refused.rule or rule, refused.refusal, Level.ATTEMPT)
    raise refused from error


def broken(rule: str, error: BaseException) -> Refused:
    """
    Log and count that a rule broke (its kind and place, never its data); give the refusal to raise.

    A store that fails is counted as `state`, and its cause is logged in plain words, once a minute.
    """
    if isinstance(error, StateUnavailable):
        return _store_broken(error)
    meter().rule_error(rule)
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else "?"
    log.error("homelab %s rule failed closed: %s at %s", rule, type(error).__name__, where)
    return policy_error(rule)


def _store_broken(error: StateUnavailable) -> Refused:
    meter().rule_error(STORE)
    log_seldom(logging.ERROR, f"homelab {error} Requests to OptiLLM handles are refused until this is fixed.")
    return store_failed()


class log_and_continue:  # noqa: N801 - used like `contextlib.suppress`
    """Around a hook that cannot refuse, because LiteLLM swallows what it raises: log it and go on."""

    __slots__ = ("_rule",)

    def __init__(self, rule: str) -> None:
        self._rule = rule

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        broken(self._rule, error)
        return True
