"""An error that LiteLLM raises before anything is sent ends the request: no retry, no fallback sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from litellm.exceptions import GuardrailRaisedException
from litellm.proxy._types import ProxyException
from litellm.types.router import RouterRateLimitError, RouterRateLimitErrorBasic

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api import client_error, upstream_failure
from litellm_homelab.adapter.litellm_api.client_error import ClientError, StreamBroken
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused, Skipped
from litellm_homelab.answers import unsupported
from litellm_homelab.attempts import failures
from litellm_homelab.decision import RefusalType
from litellm_homelab.fields.routes import api_of

BEFORE_THE_HOOKS: Final = frozenset({"ContextWindowExceededError", "UnsupportedParamsError"})
"""
Errors of the router itself, raised before it has chosen a deployment (`enable_pre_call_checks`).

No hook sees them; the router leaves their name with the request when it goes on to a fallback (1.106.2).
"""
ROUTERS_OWN: Final = frozenset({"AttributeError", "TypeError", "KeyError", "IndexError", "ValidationError"})
"""Errors of Python's that end a request as well where the router runs into them: no group would do better."""
UNPREPARED: Final = (
    "The gateway could not prepare this request for the model: the model does not serve this route, or a "
    "field has a type or a shape that the API does not document. Check the request against the API's "
    "documentation."
)
"""What a client gets for an error of LiteLLM's own code, whose text would be Python's."""
MEANT: Final = (Refused, Skipped, ClientError, StreamBroken, GuardrailRaisedException)
"""Errors whose texts are meant for the client already."""
RESTING: Final = (RouterRateLimitError, RouterRateLimitErrorBasic)
"""The router has no deployment that is not resting: a 429 of its own, though Python calls it a ValueError."""
OPERATORS_CODE: Final = ("litellm.integrations.", "litellm.proxy.guardrails.")
"""Modules of LiteLLM that raise for guardrails: their texts are meant for the client."""


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

    def begin(self, record: RequestContext, kwargs: Mapping[str, Any]) -> None:
        """
        Note that an attempt begins.

        Raises:
            Unsent: LiteLLM itself turned the request down before, so that no deployment may be asked.

        """
        if record.unsent is not None:
            raise self._ended(record.unsent)
        if not record.tried and kwargs.get("fallback_depth"):
            self._refuse_after_the_router(kwargs)
        record.tried, record.sent_out, record.announced, record.failure = True, False, False, None
        record.kept_back = False

    def failed(self, record: RequestContext, error: Exception) -> None:
        """Note how an attempt failed, once LiteLLM has given it up."""
        record.failure = upstream_failure.failure(error, sent=has_left(record, error))
        if isinstance(error, Refused | Skipped) or record.outcome.refusal is not None:
            return
        if failures.is_final(record.failure):
            record.unsent = error

    def _refuse_after_the_router(self, kwargs: Mapping[str, Any]) -> None:
        """Raise `Unsent` where the router turned down the first group's attempt before it was one."""
        kind, text = _last_error(kwargs)
        windows = kind == "ContextWindowExceededError" and self._deployments.has_window_fallbacks()
        if kind in BEFORE_THE_HOOKS and not windows:
            raise self._said(400, text)
        if kind in ROUTERS_OWN:
            raise Unsent(400, UNPREPARED)

    def _ended(self, error: Exception) -> Unsent:
        text = client_error.text_of(error)
        if _is_unreadable(error) and not unsupported.is_advice(text):
            return Unsent(400, UNPREPARED)
        return self._said(client_error.status_of(error), text)

    def _said(self, status: int, text: str) -> Unsent:
        """The error with LiteLLM's text, or a sentence in the place of its advice to change settings."""
        if not unsupported.is_advice(text):
            return Unsent(status, self._scrub(text))
        found = unsupported.readable(text)
        kind = RefusalType.PARAM_NOT_ALLOWED.value
        return Unsent(400, self._scrub(found.message), kind=kind, param=found.param)


def has_left(record: RequestContext, error: BaseException) -> bool:
    """
    Whether a request of the attempt under way has left for its upstream.

    The transport knows. Some SDKs of providers do not send through it: of these LiteLLM's word is taken that
    it is about to send, unless Python stumbled over a value first.
    """
    return record.sent_out or (record.announced and not upstream_failure.is_pythons(error))


def readable(record: RequestContext | None, error: Exception) -> ClientError | None:
    """A 400 in a sentence in the place of an error that LiteLLM raised before it sent; None for any other."""
    if record is None or not record.opened or isinstance(error, (*MEANT, *RESTING)):
        return None
    if record.route is None or api_of(record.route.path) is None or client_error.is_guardrails(error):
        return None
    if not record.tried and not _is_litellms_code(error):
        return None
    failure = upstream_failure.failure(error, sent=has_left(record, error))  # the router shows the first one
    if not failures.is_final(failure) or not _is_unreadable(error):
        return None
    return ClientError(400, UNPREPARED, type=RefusalType.INVALID_BODY.value)


def _is_unreadable(error: Exception) -> bool:
    return client_error.status_of(error) >= 500 or upstream_failure.says_pythons(
        error, client_error.text_of(error)
    )


def _is_litellms_code(error: BaseException) -> bool:
    """Whether an exception was raised in LiteLLM's code, and not in a guardrail or a callback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = str(trace.tb_frame.f_globals.get("__name__", "")) if trace is not None else ""
    return module.startswith("litellm.") and not module.startswith(OPERATORS_CODE)


def _last_error(kwargs: Mapping[str, Any]) -> tuple[str, str]:
    """Class and text of the error that the router went on from; empty where it has left none."""
    for name in ("litellm_metadata", "metadata"):
        found = kwargs.get(name)
        errors = found.get("previous_models") if isinstance(found, Mapping) else None
        last = errors[-1] if isinstance(errors, list | tuple) and errors else None
        if isinstance(last, Mapping):
            return str(last.get("exception_type", "")), str(last.get("exception_string", ""))
    return "", ""
