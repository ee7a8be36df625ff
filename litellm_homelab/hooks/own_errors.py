"""An error that LiteLLM raises before anything is sent ends the request: no retry, no fallback sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from litellm.exceptions import GuardrailRaisedException
from litellm.proxy._types import ProxyException

from litellm_homelab import failures
from litellm_homelab.answers import unsupported
from litellm_homelab.decision import RefusalType
from litellm_homelab.hooks import client_error, upstream_failure
from litellm_homelab.hooks.context import Record
from litellm_homelab.hooks.deployments import Deployments
from litellm_homelab.hooks.refusal import Refused

BEFORE_THE_HOOKS: Final = frozenset({"ContextWindowExceededError", "UnsupportedParamsError"})
"""
Errors of the router itself, raised before it has chosen a deployment (`enable_pre_call_checks`).

No hook sees them; the router leaves their name with the request when it goes on to a fallback (1.106.2).
"""


class Unsent(GuardrailRaisedException, ProxyException):  # type: ignore[misc]  # LiteLLM's classes are untyped
    """
    Ends the walk through retries and fallbacks with the error that LiteLLM raised first.

    A guardrail's exception for the reason that `Refused` is one; but no refusal of ours, and not counted as
    one.
    """

    def __init__(
        self, status: int, message: str, *, kind: str | None = None, param: str | None = None
    ) -> None:
        kind = kind or ("invalid_request_error" if status < 500 else "internal_server_error")
        ProxyException.__init__(self, message=message, type=kind, param=param, code=status)
        self.guardrail_name = "litellm_homelab"
        self.status_code = status
        self.blocked_content = False


class OwnErrors:
    """Follows the attempts of a request; called by the hooks of each."""

    def __init__(self, deployments: Deployments, scrub: Callable[[str], str]) -> None:
        self._deployments = deployments
        self._scrub = scrub

    def begin(self, record: Record, kwargs: Mapping[str, Any]) -> None:
        """
        Note that an attempt begins.

        Raises:
            Unsent: LiteLLM itself turned the request down before, so that no deployment may be asked.

        """
        if record.unsent is not None:
            raise self._ended(client_error.status_of(record.unsent), client_error.text_of(record.unsent))
        if not record.tried and kwargs.get("fallback_depth"):
            self._refuse_after_the_router(kwargs)
        record.tried, record.sent_out = True, False

    def failed(self, record: Record, error: Exception) -> None:
        """Note how an attempt failed, once LiteLLM has given it up."""
        if isinstance(error, Refused) or record.refusal is not None:
            return
        if failures.is_final(upstream_failure.failure(error, sent=record.sent_out)):
            record.unsent = error

    def _refuse_after_the_router(self, kwargs: Mapping[str, Any]) -> None:
        """Raise `Unsent` where the router turned down the first group's attempt before it was one."""
        kind, text = _last_error(kwargs)
        windows = kind == "ContextWindowExceededError" and self._deployments.has_window_fallbacks()
        if kind in BEFORE_THE_HOOKS and not windows:
            raise self._ended(400, text)

    def _ended(self, status: int, text: str) -> Unsent:
        if unsupported.is_advice(text):
            found = unsupported.readable(text)
            kind = RefusalType.PARAM_NOT_ALLOWED.value
            return Unsent(400, self._scrub(found.message), kind=kind, param=found.param)
        return Unsent(status, self._scrub(text))


def _last_error(kwargs: Mapping[str, Any]) -> tuple[str, str]:
    """Class and text of the error that the router went on from; empty where it has left none."""
    for name in ("litellm_metadata", "metadata"):
        found = kwargs.get(name)
        errors = found.get("previous_models") if isinstance(found, Mapping) else None
        last = errors[-1] if isinstance(errors, list | tuple) and errors else None
        if isinstance(last, Mapping):
            return str(last.get("exception_type", "")), str(last.get("exception_string", ""))
    return "", ""
