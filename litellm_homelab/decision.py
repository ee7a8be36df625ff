"""What a rule answers: allow or refuse, and the types of refusals with their statuses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class RefusalType(StrEnum):
    """What kind of refusal it is, for programs: the `type` of the error that the client gets."""

    MODEL_NOT_FOUND = "model_not_found"
    ROUTE_NOT_ALLOWED = "route_not_allowed"
    PARAM_NOT_ALLOWED = "param_not_allowed"
    APPROACH_NOT_ALLOWED = "approach_not_allowed"
    APPROACH_IN_PROMPT = "approach_in_prompt"
    LOOP_DETECTED = "loop_detected"
    FANOUT_EXCEEDED = "fanout_exceeded"
    AUTHENTICATION_ERROR = "authentication_error"
    INVALID_BODY = "invalid_request_error"
    BODY_TOO_LARGE = "body_too_large"
    QUOTA_EXCEEDED = "quota_exceeded"
    BACKEND_BUSY = "backend_busy"
    MODEL_ABSENT = "model_absent"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    POLICY_ERROR = "policy_error"


STATUS: Mapping[RefusalType, int] = {
    RefusalType.MODEL_NOT_FOUND: 404,
    RefusalType.ROUTE_NOT_ALLOWED: 403,
    RefusalType.PARAM_NOT_ALLOWED: 400,
    RefusalType.APPROACH_NOT_ALLOWED: 400,
    RefusalType.APPROACH_IN_PROMPT: 400,
    RefusalType.LOOP_DETECTED: 508,
    RefusalType.FANOUT_EXCEEDED: 422,
    RefusalType.AUTHENTICATION_ERROR: 401,
    RefusalType.INVALID_BODY: 400,
    RefusalType.BODY_TOO_LARGE: 413,
    RefusalType.QUOTA_EXCEEDED: 429,
    RefusalType.BACKEND_BUSY: 429,
    RefusalType.MODEL_ABSENT: 503,
    RefusalType.UPSTREAM_TIMEOUT: 504,
    RefusalType.POLICY_ERROR: 503,
}
"""HTTP status of each refusal (the contract's table of refusals)."""


LONGEST_RETRY = 60
"""Seconds of `retry-after` beyond which an SDK is asked not to wait (the contract's section on refusals)."""


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may go on as it is."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request ends here: `type` for the machine, `message` for the person, `param` for the field."""

    type: RefusalType
    message: str
    param: str | None = None
    to_child: bool = False
    """Sent to OptiLLM, not to a client: a 400, whatever the type, since its SDK does not retry that."""

    code: int | None = None
    """The status where it is not the type's: 404 for the id of what this gateway does not keep."""

    retry_after: int | None = None
    """Seconds after which the same request may be served."""

    limits: tuple[tuple[str, str], ...] = ()
    """Headers that say which limit it is: `x-ratelimit-*`."""

    @property
    def status(self) -> int:
        """HTTP status of this refusal."""
        return 400 if self.to_child else self.code or STATUS[self.type]

    @property
    def headers(self) -> dict[str, str]:
        """
        Response headers.

        The OpenAI SDK is asked not to retry a 5xx, as it would by default, unless retrying helps soon.
        """
        later = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        is_soon = self.retry_after is not None and self.retry_after <= LONGEST_RETRY
        never = not is_soon and (self.status >= 500 or self.retry_after is not None)
        return later | dict(self.limits) | ({"x-should-retry": "false"} if never else {})
