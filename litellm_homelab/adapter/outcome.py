"""What a client gets in the place of an answer: rules and policies write it, middleware and hooks read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from starlette.responses import JSONResponse

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
class FinalError:
    """The error that ends a request: a refusal of ours, or what a backend said to a call of OptiLLM's."""

    status: int
    message: str
    type: str
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, refusal: Refuse) -> FinalError:
        """The outcome of a refusal."""
        return cls(refusal.status, refusal.message, refusal.type.value, refusal.param, refusal.headers)

    @classmethod
    def failed(cls, failure: ChildFailure) -> FinalError:
        """The outcome of a root whose call was refused by its backend."""
        later = {"retry-after": failure.retry_after} if failure.retry_after else {}
        return cls(failure.status, failure.message, failure.type, headers={**NO_REPEAT, **later})

    @classmethod
    def told(cls, told: Told) -> FinalError:
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


def _anthropics(outcome: FinalError) -> str:
    if outcome.type in RefusalType.__members__.values() and outcome.type != RefusalType.INVALID_BODY:
        return outcome.type
    return ANTHROPIC_TYPES.get(outcome.status, "api_error")


@dataclass(frozen=True, slots=True)
class Told:
    """An upstream's error: its status, and its message without internal names."""

    status: int
    message: str


class Level(IntEnum):
    """What a refusal ends: one that ends more counts before one that ends less."""

    STAGE = 0
    """The stage that raised it: LiteLLM shows the client this very exception."""
    ATTEMPT = 1
    """An attempt: LiteLLM may try the next group, and then shows the first error."""
    ROOT = 2
    """A request through OptiLLM, whatever OptiLLM makes of it."""


@dataclass(slots=True)
class Outcome:
    """
    How one request ends: `refuse` and its like are the only writers, `for_client` is the only reader.

    A refusal of the root counts before one of an attempt, both before what a backend said to a call of
    OptiLLM's, and the last refusal of a stage counts where there is none of these.
    """

    refusals: list[tuple[str, Refuse]] = field(default_factory=list)
    """Everything that was refused on the way, and by which rule, in order."""
    refusal: Refuse | None = None
    """The refusal of an attempt."""
    verdict: Refuse | None = None
    """The refusal of the root."""
    failure: ChildFailure | None = None
    """What a backend said to a call without which there is no answer; its text is clean."""
    told: Told | None = None
    """What the upstream said when it failed last."""
    is_answer: bool = False
    """Whether the client gets an answer, though something was refused on the way."""

    def refuse(self, rule: str, refusal: Refuse, level: Level = Level.STAGE) -> None:
        """Note a refusal; the first rule to raise it is its rule."""
        if not any(known is refusal for _, known in self.refusals):
            self.refusals.append((rule, refusal))
        if level is Level.ATTEMPT:
            self.refusal = refusal
        elif level is Level.ROOT:
            self.verdict = refusal

    def withdraw(self, rule: str) -> None:
        """Take back what a rule refused: it is about to refuse again, with what happened since."""
        if self.refusal is not None and self.rule_of(self.refusal) == rule:
            self.refusal = None
        self.refusals = [one for one in self.refusals if one[0] != rule]

    def backend_failed(self, failure: ChildFailure) -> None:
        """Note what a backend said to a call of OptiLLM's without which there is no answer."""
        self.failure = failure

    def upstream_said(self, told: Told) -> None:
        """Note an upstream's own error; it is shown where it is the first event of a stream."""
        self.told = told

    def answered(self) -> None:
        """Note that an answer leaves."""
        self.is_answer = True

    def for_client(self, *, is_answer: bool | None = None) -> FinalError | None:
        """
        The error that the client gets; None for an answer, and for an upstream's error, cleaned.

        `is_answer` says what LiteLLM has in its hands, an answer or an error, for hooks that run before it
        leaves; without it, what has left counts.
        """
        if self.verdict is not None:
            return FinalError.of(self.verdict)
        if self.failure is not None and self.refusal is None:
            return FinalError.failed(self.failure)
        refused = None if (self.is_answer if is_answer is None else is_answer) else self.ours()
        return FinalError.of(refused) if refused is not None else None

    def ours(self) -> Refuse | None:
        """The refusal of ours that counts where the request fails; None where nothing was refused."""
        last = self.refusals[-1][1] if self.refusals else None
        return self.verdict or self.refusal or last

    def rule_of(self, refusal: Refuse) -> str | None:
        """The rule that raised a refusal."""
        return next((rule for rule, known in self.refusals if known is refusal), None)

    def is_own(self, text: str) -> bool:
        """Whether a text is one of this request's refusals."""
        return any(refusal.message == text for _, refusal in self.refusals)
