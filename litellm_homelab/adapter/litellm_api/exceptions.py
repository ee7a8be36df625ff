"""Refusals as LiteLLM exceptions, and as responses outside of LiteLLM."""

from __future__ import annotations

from litellm.exceptions import GuardrailRaisedException
from litellm.proxy._types import ProxyException
from starlette.responses import JSONResponse

from litellm_homelab import refusals
from litellm_homelab.decision import Refuse


class Refused(GuardrailRaisedException, ProxyException):  # type: ignore[misc]  # untyped here
    """
    Ends a request with the status, type and param of a refusal.

    It is LiteLLM's guardrail exception because that is the only kind which the router neither retries nor
    falls back from nor cools a deployment down for, whatever its status; and the proxy's own exception
    because that is the only kind which every route shows as it is: batches and files give any other the
    type `internal_server_error` (both measured on 1.106.2).
    """

    def __init__(self, refusal: Refuse, rule: str | None = None) -> None:
        ProxyException.__init__(
            self,
            message=refusal.message,
            type=refusal.type.value,
            param=refusal.param,
            code=refusal.status,
            headers=refusal.headers,
        )
        # The other base's constructor would call ProxyException's again, with one argument.
        self.guardrail_name = "litellm_homelab"
        self.status_code = refusal.status
        self.blocked_content = False
        self.refusal = refusal
        self.rule = rule
        """Whose refusal it is, where that is not the callback that raises it."""


class Skipped(ProxyException):  # type: ignore[misc]  # untyped here
    """
    Ends an attempt before it is sent; LiteLLM tries the next group.

    It is none of the exceptions that a retry policy names, and says itself that it is not retried; it is the
    proxy's own for the reason that `Refused` is. Where no group is left, `ErrorResponse` gives the client its
    refusal.
    """

    def __init__(self, refusal: Refuse, rule: str) -> None:
        super().__init__(
            message=refusal.message,
            type=refusal.type.value,
            param=refusal.param,
            code=refusal.status,
            headers=refusal.headers,
        )
        self.refusal, self.rule = refusal, rule
        self.status_code = 429
        self.num_retries = 0
        """What LiteLLM's router looks for (1.106.2)."""


def response(refusal: Refuse) -> JSONResponse:
    """The answer of a refusal outside of LiteLLM's own error handling, in OpenAI's shape."""
    error = {
        "message": refusal.message,
        "type": refusal.type.value,
        "param": refusal.param,
        "code": str(refusal.status),
    }
    return JSONResponse({"error": error}, refusal.status, refusal.headers)


def policy_error(rule: str) -> Refused:
    """The refusal of a rule that broke: closed, and apart from deliberate refusals."""
    return Refused(refusals.rule_failed(rule), rule)


def store_failed() -> Refused:
    """The refusal of a request that cannot be counted: the store of `homelab.state` fails."""
    return Refused(refusals.store_failed(), "state")
