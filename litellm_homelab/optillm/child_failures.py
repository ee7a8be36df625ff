"""
Why a backend refused a root's children: kept with the root, since OptiLLM hands on a 500, or nothing.

OptiLLM answers 500 with the child's status only in its text, or 200 with an error as the answer, and never
the backend's own status (measured on 0.3.12 and 0.4.0).  Pure: it reads and writes marks of a store's entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PASSED: Final = frozenset({400, 404, 413, 422, 429})
"""Statuses with which a backend refuses a request for what it is; any other is the backend's own trouble."""
BUSY: Final = 429
KINDS: Final = {BUSY: "rate_limit_error", 504: "upstream_timeout"}
"""The `type` of an error by its status; 504 is this gateway's own refusal."""
MARK: Final = "refused_"
"""How the names of the marks begin; the status that OptiLLM was shown follows."""
LONGEST: Final = 600
"""Characters of a backend's message that are kept."""
SHOWN: Final = re.compile(r"Error code: (\d{3})")
"""How OpenAI's SDK, which OptiLLM uses, writes the status of a call; LiteLLM puts its own before it."""
_WRAPPED: Final = re.compile(r"^(?:Error code: \d{3} - |litellm\.\w+: |\w+Exception - )+")
_ROUTER: Final = re.compile(
    r"\s*(?:\bmodel=\S+\s*context_window_fallbacks=|Received Model Group=|Available Model Group "
    r"Fallbacks=).*",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class ChildFailure:
    """A child that its backend refused: the backend's status and message, and when to come back."""

    status: int
    message: str
    retry_after: str = ""

    @property
    def type(self) -> str:
        """The `type` of the error object, as OpenAI's API has it."""
        return kind(self.status)


def kind(status: int) -> str:
    """The `type` of an error object of that status, as OpenAI's API has it."""
    return KINDS.get(status, "invalid_request_error")


def name(shown: int) -> str:
    """The mark's name for the status that OptiLLM was shown."""
    return f"{MARK}{shown}"


def written(failure: ChildFailure) -> str:
    """The text of a mark."""
    return json.dumps([failure.status, failure.message[:LONGEST], failure.retry_after])


def found(marks: Mapping[str, str]) -> dict[int, ChildFailure]:
    """The failures among an entry's marks, by the status that OptiLLM was shown."""
    return {
        int(key.removeprefix(MARK)): ChildFailure(*json.loads(text))
        for key, text in marks.items()
        if key.startswith(MARK)
    }


def cause(failures: Mapping[int, ChildFailure], said: str) -> ChildFailure | None:
    """
    The failure that OptiLLM's error comes from; None where it comes from something else.

    `said` is OptiLLM's error: the last status in it is the call's. Where it has none, a request that was
    refused for what it is counts before one that came too early.
    """
    statuses = SHOWN.findall(said)
    told = [int(one) for one in statuses if int(one) in failures]
    if told:
        return failures[told[-1]]
    if len(statuses) > 1:  # LiteLLM's own, and that of a call which failed otherwise
        return None
    ordered = sorted(failures.items(), key=lambda one: (one[1].status == BUSY, one[0]))
    return ordered[0][1] if ordered else None


def sentence(text: str) -> str:
    """A backend's message on one line, without what LiteLLM writes around it."""
    bare = _ROUTER.sub("", _WRAPPED.sub("", text.strip()))
    line = " ".join(bare.split())
    return line if len(line) <= LONGEST else line[:LONGEST].rsplit(" ", 1)[0] + " ..."
