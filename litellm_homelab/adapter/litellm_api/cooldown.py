"""Keeps clients' mistakes out of LiteLLM's cooldowns, whatever router.yaml says of them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Final

from litellm.exceptions import GuardrailRaisedException

from litellm_homelab.adapter import context
from litellm_homelab.adapter.fail_closed import broken
from litellm_homelab.adapter.litellm_api import own_errors, upstream_failure
from litellm_homelab.adapter.litellm_api.exceptions import Skipped
from litellm_homelab.attempts import failures
from litellm_homelab.config.settings import SettingsError

NAME: Final = "is_advisor_orchestration_failure"
HOME: Final = "litellm.router_utils.cooldown_handlers"
ASKED_IN: Final = ("litellm.router_utils.fallback_event_handlers",)
ROUTER: Final = "litellm.router"
"""
LiteLLM's own question whether a failure says anything about the deployment that was asked.

It is asked wherever a failed attempt is counted, before anything is: in `deployment_callback_on_failure`
for the first failure of a request, in `_trigger_cooldown_for_failed_deployment` for those of its fallbacks
(1.106.0, 1.108.7), beside the router's Rust core for both (1.110.2, which looks it up in `HOME` each time).
No setting will do: `allowed_fails_policy` has no 402, and all kinds share one counter, so that six 404s and
one 500 are seven failures; and no hook of LiteLLM's runs in between.
"""
RUST: Final = "litellm.router_rust"
"""Where the router's core is in Rust, `ROUTER` does not ask (1.110.2)."""
DONE: Final = "_homelab_shield"


def install() -> None:
    """
    Put our check around LiteLLM's, everywhere it is looked up, once.

    Raises:
        SettingsError: this LiteLLM has another name for it, or asks it somewhere else.

    """
    for module in _places():
        original = getattr(module, NAME, None)
        if original is None:
            raise SettingsError([_missing(f"{module.__name__}.{NAME}")])
        if not hasattr(original, DONE):
            setattr(module, NAME, _shielded(original))


def _places() -> tuple[ModuleType, ...]:
    """The modules that have the name."""
    router = () if importlib.util.find_spec(RUST) else (ROUTER,)
    return tuple(importlib.import_module(name) for name in (HOME, *ASKED_IN, *router))


def _shielded(original: Callable[[BaseException | None], bool]) -> Callable[[BaseException | None], bool]:
    """`original`, which is also true of a failure that says nothing about the deployment."""

    def shielded(exception: BaseException | None) -> bool:
        if isinstance(exception, BaseException) and not _counts(exception):
            return True
        return original(exception)

    setattr(shielded, DONE, True)
    return shielded


def _counts(error: BaseException) -> bool:
    """Whether a failure counts towards a cooldown; where this check breaks, LiteLLM decides alone."""
    record = context.current()
    try:
        if isinstance(error, GuardrailRaisedException | Skipped):  # ours among them: nothing was sent
            return False
        if record is not None and record.kept_back:
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
        f"litellm_homelab: this LiteLLM has no {name}, so a client's bad requests could put a "
        "deployment into cooldown for all clients; install a tested version of LiteLLM"
    )
