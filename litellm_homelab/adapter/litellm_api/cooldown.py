"""Keeps clients' mistakes out of LiteLLM's cooldowns, whatever router.yaml says of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from litellm import Router
from litellm.exceptions import GuardrailRaisedException
from litellm.router_utils import fallback_event_handlers

from litellm_homelab.adapter import context
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.litellm_api import own_errors, upstream_failure
from litellm_homelab.attempts import failures
from litellm_homelab.config.settings import SettingsError

PLACES: Final = (
    (Router, "deployment_callback_on_failure", "kwargs"),
    (fallback_event_handlers, "_trigger_cooldown_for_failed_deployment", "exception"),
)
"""
Where LiteLLM 1.106.2 counts a failed attempt and decides whether its deployment rests.

The first is called for the first failure of a request, the second for those of its fallbacks. No setting will
do: `allowed_fails_policy` has no 402, and all kinds share one counter, so that six 404s and one 500 are
seven failures; and no hook of LiteLLM's runs in between.
"""
DONE: Final = "_homelab_shield"


def install() -> None:
    """
    Put the check around both places, once.

    Raises:
        SettingsError: this LiteLLM has another name for one of them.

    """
    for owner, name, argument in PLACES:
        original = getattr(owner, name, None)
        if original is None:
            raise SettingsError([_missing(f"{owner.__name__}.{name}")])
        if not hasattr(original, DONE):
            setattr(owner, name, _shielded(original, argument))


def _shielded(original: Callable[..., Any], argument: str) -> Callable[..., Any]:
    """`original`, which is not called for a failure that says nothing of the deployment."""

    @functools.wraps(original)
    def shielded(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - LiteLLM's signatures
        error = _error(kwargs.get(argument, args[1] if len(args) > 1 else None))
        if error is not None and not _counts(error):
            return False
        return original(*args, **kwargs)

    setattr(shielded, DONE, True)
    return shielded


def _error(given: object) -> BaseException | None:
    """The exception: itself, or in LiteLLM's account of the call."""
    found = given.get("exception") if isinstance(given, dict) else given
    return found if isinstance(found, BaseException) else None


def _counts(error: BaseException) -> bool:
    """Whether a failure may rest its deployment; where this check breaks, LiteLLM decides alone."""
    record = context.current()
    try:
        if isinstance(error, GuardrailRaisedException):  # ours among them: nothing was sent
            return False
        if record is not None and record.failure is not None:
            return failures.rests(record.failure)
        sent = own_errors.has_left(record, error) if record is not None else True
        return failures.rests(upstream_failure.failure(error, sent=sent))
    except Exception as fault:  # noqa: BLE001 - LiteLLM would lose the failure of a fallback's attempt
        broken("cooldown", fault)
        return True


def _missing(name: str) -> str:
    return (
        f"litellm_homelab: this LiteLLM has no {name}, so that a client's bad requests could close a "
        "deployment for everybody; install a tested version of LiteLLM"
    )
