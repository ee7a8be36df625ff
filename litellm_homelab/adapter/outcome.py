"""What a client gets in the place of an answer: decided here, for every place that must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import JSONResponse

from litellm_homelab.adapter.context import RequestContext, Root, Told
from litellm_homelab.adapter.litellm_api.client_error import ClientError
from litellm_homelab.answers import errors
from litellm_homelab.answers.routes import answers_of
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.optillm import child_failures
from litellm_homelab.optillm.child_failures import ChildFailure

NO_REPEAT: Final = {"x-should-retry": "false"}
"""Asks the SDKs of OpenAI and Anthropic not to send a request again: it would run OptiLLM again."""


BROKEN: Final = 500
ANTHROPIC_TYPES: Final = {status: name for name, status in errors.ANTHROPIC_STATUS.items()} | {
    422: "invalid_request_error"
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The error that ends a request: a refusal of ours, or what a backend said to a call of OptiLLM's."""

    status: int
    message: str
    type: str
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, refusal: Refuse) -> Outcome:
        """The outcome of a refusal."""
        return cls(refusal.status, refusal.message, refusal.type.value, refusal.param, refusal.headers)

    @classmethod
    def failed(cls, failure: ChildFailure) -> Outcome:
        """The outcome of a root whose call was refused by its backend."""
        later = {"retry-after": failure.retry_after} if failure.retry_after else {}
        return cls(failure.status, failure.message, failure.type, headers={**NO_REPEAT, **later})

    @classmethod
    def told(cls, told: Told) -> Outcome:
        """The outcome of a request that its upstream refused in the first event of a stream."""
        kind = child_failures.kind(told.status) if told.status < BROKEN else "internal_server_error"
        return cls(told.status, told.message, kind)

    def error(self) -> ClientError:
        """The exception that says it to LiteLLM."""
        return ClientError(
            self.status, self.message, type=self.type, param=self.param, headers=dict(self.headers)
        )

    def response(self, path: str) -> JSONResponse:
        """The answer that says it, in the shape of the route's errors."""
        answers = answers_of(path)
        return JSONResponse(self.body(answers.style if answers else ""), self.status, dict(self.headers))

    def body(self, style: str) -> dict[str, Any]:
        """The error object of a route's format; Anthropic's types follow from the status."""
        if style == "anthropic":
            return {"type": "error", "error": {"type": _anthropics(self), "message": self.message}}
        said = {"message": self.message, "type": self.type, "param": self.param}
        return {"error": {**said, "code": str(self.status)}}


def _anthropics(outcome: Outcome) -> str:
    if outcome.type in RefusalType.__members__.values() and outcome.type != RefusalType.INVALID_BODY:
        return outcome.type
    return ANTHROPIC_TYPES.get(outcome.status, "api_error")


def of_root(root: Root | None) -> Outcome | None:
    """Why the client of a root gets no answer, whatever LiteLLM has made of OptiLLM's; None for an answer."""
    if root is None:
        return None
    if root.verdict is not None:
        return Outcome.of(root.verdict)
    return Outcome.failed(root.failure) if root.failure is not None else None


def of_failure(record: RequestContext) -> Outcome | None:
    """
    What the client of a request that failed gets; None for an upstream's error, cleaned.

    The verdict on a root counts before the refusal of one of its attempts, and both before a backend's word.
    """
    refused = refusal(record)
    return Outcome.of(refused) if refused is not None else of_root(record.root)


def refusal(record: RequestContext) -> Refuse | None:
    """The refusal of ours that a request which failed ended with; None where it was not ours."""
    verdict = record.root.verdict if record.root else None
    return verdict or record.refusal


def must_not_repeat(record: RequestContext) -> bool:
    """Whether the request has run OptiLLM, so that its failure is nothing that an SDK should repeat."""
    summary = record.root.summary if record.root else None
    return summary is not None and summary.children > 0


def account(record: RequestContext) -> dict[str, str]:
    """The `x-homelab-*` headers of an answer of an OptiLLM handle: LiteLLM leaves them out on some routes."""
    root = record.root
    if root is None:
        return {}
    headers = {"x-homelab-root": root.id, "x-homelab-approach": root.approach}
    if root.summary is not None:
        headers["x-homelab-calls"] = str(root.summary.children)
        headers["x-homelab-tokens"] = str(root.summary.usage.total_tokens)
    return headers | ({"x-homelab-dropped": ",".join(record.dropped)} if record.dropped else {})
