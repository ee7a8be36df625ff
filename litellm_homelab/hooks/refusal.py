"""A refusal as LiteLLM must be told of it."""

from __future__ import annotations

from litellm.exceptions import GuardrailRaisedException

from litellm_homelab.decision import RefusalType, Refuse


class Refused(GuardrailRaisedException):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """
    Ends a request with the status, type and param of a refusal.

    It derives from LiteLLM's guardrail exception because that is the only kind which the router neither
    retries nor falls back from nor cools a deployment down for, whatever its status (measured on 1.106.2).
    """

    def __init__(self, refusal: Refuse) -> None:
        super().__init__(
            guardrail_name="litellm_homelab",
            message=refusal.message,
            should_wrap_with_default_message=False,
            status_code=refusal.status,
        )
        self.refusal = refusal
        self.type = refusal.type.value
        self.param = refusal.param
        self.headers = refusal.headers
        self.code = str(refusal.status)

    def __str__(self) -> str:
        """LiteLLM logs the text of an exception; `message` says the same."""
        return self.refusal.message


def policy_error(rule: str) -> Refused:
    """The refusal of a rule that broke: closed, and apart from deliberate refusals."""
    return Refused(
        Refuse(
            RefusalType.POLICY_ERROR,
            f"The gateway's {rule} rule failed, so the request was refused. "
            "This is a fault of the gateway, not of the request: its operator finds the cause in the log.",
        )
    )
