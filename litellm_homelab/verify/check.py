"""One check: what must hold, what is asked, and how the answers are judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from litellm_homelab.verify.exchange import (
    SLOW,
    KeyRole,
    NoReply,
    VerifyJudgement,
    VerifyQuestion,
    VerifyReply,
    failed,
    not_checked,
)

Judge: TypeAlias = Callable[[Sequence[VerifyReply]], VerifyJudgement]
CHAT: Final = "/v1/chat/completions"
NO_NAME: Final = "verify-no-such-model"
"""A name that no gateway has."""
PROMPT: Final = "Reply with the word ready."
SHORT: Final = 16
"""Tokens of an answer that is not read."""


@dataclass(frozen=True, slots=True)
class VerifyCheck:
    """What must hold, the questions, and how their answers are judged."""

    id: str
    what: str
    """What must hold, as a sentence without its full stop."""
    questions: tuple[VerifyQuestion, ...] = ()
    judge: Judge | None = None
    subject: str = ""
    """The handle or tool that it is about, where there may be several."""
    settled: VerifyJudgement | None = None
    """What it comes to where nothing is asked."""
    key: KeyRole | None = None
    """The key that must be let in before the answers say anything."""
    settles: bool = False
    """Whether the last question is asked again while the answer is not as it should be: counters may lag."""

    def judged(self, replies: Sequence[VerifyReply]) -> VerifyJudgement:
        """How the check ends."""
        late = next((one for one in replies if one.failure is NoReply.TIME_UP), None)
        if late is not None:
            return not_checked(f"{NoReply.TIME_UP}", "Allow more with --seconds.")
        for question, reply in zip(self.questions, replies, strict=True):
            if self.key is not None and question.key is self.key and _is_not_let_in(reply):
                return not_checked(f"{reply.said}: the {self.key} key is not let in", f"See keys.{self.key}.")
        return self.settled or (self.judge or _unanswered)(replies)


def _is_not_let_in(reply: VerifyReply) -> bool:
    """Whether the key is not known, or may not use the route."""
    return reply.status == 401 or (reply.status == 403 and reply.type == "route_not_allowed")


def _unanswered(_: Sequence[VerifyReply]) -> VerifyJudgement:
    return not_checked("nothing was asked")


@dataclass(frozen=True, slots=True)
class CheckedItem:
    """A check with what became of it."""

    check: VerifyCheck
    judgement: VerifyJudgement


def chat(
    model: str,
    key: KeyRole | None,
    fields: Mapping[str, Any] | None = None,
    *,
    text: str = PROMPT,
    headers: Mapping[str, str] | None = None,
    is_call: bool = False,
) -> VerifyQuestion:
    """A short chat completion; `is_call` where a model answers it."""
    messages = [{"role": "user", "content": text}]
    body = {"model": model, "messages": messages, "max_tokens": SHORT, **(fields or {})}
    # A refusal is quick, but a gateway that does not refuse asks a model.
    return VerifyQuestion(CHAT, key, body, headers or {}, seconds=SLOW, is_call=is_call)


def unexpected(reply: VerifyReply, expected: str, do: str) -> VerifyJudgement:
    """The failure of an answer that is another than the one expected."""
    return failed(f"expected {expected}, got {reply.said}", do)
