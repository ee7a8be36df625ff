"""What is asked of a gateway, what comes back, and what a check makes of it; nothing here sends anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from litellm_homelab.config.wording import hide_keys, one_line

LONGEST: Final = 160
"""Characters of a server's own text that a report repeats."""
QUICK: Final = 15.0
"""Seconds for what no model answers."""
SLOW: Final = 180.0
"""Seconds for what a model answers: it may have to be loaded first."""


class KeyRole(StrEnum):
    """Which key a question carries."""

    CLIENT = "client"
    MASTER = "master"
    METRICS = "metrics"
    OPTILLM = "optillm"
    """The key of OptiLLM's calls back."""
    GATE = "gate"
    """The key that OptiLLM itself asks for."""
    WRONG = "wrong"
    """One that nothing knows."""
    DEFAULT = "default"
    """The master key of LiteLLM's documentation."""


class NoReply(StrEnum):
    """Why there is no answer."""

    REFUSED = "the connection was refused"
    NAME = "the name of the host was not found"
    TLS = "no TLS connection could be made"
    TIMEOUT = "nothing came in time"
    BROKEN = "the connection broke"
    TIME_UP = "the time of this run is used up"


class VerifyVerdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class VerifyQuestion:
    """One request."""

    path: str
    key: KeyRole | None = None
    body: Mapping[str, Any] | None = None
    """JSON of a POST; without it the question is a GET."""
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    """The address in front of the path, where it is not the gateway."""
    seconds: float = QUICK
    is_call: bool = False
    """Whether a model answers where all is well."""

    @property
    def name(self) -> str:
        """`POST /v1/search/x`, for a person."""
        return f"{'GET' if self.body is None else 'POST'} {self.path}"


@dataclass(frozen=True)
class VerifyReply:
    """What came back: a status, or why there is none."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: str = ""
    failure: NoReply | None = None
    detail: str = ""
    """What the failure says of itself."""
    at: float = 0.0
    """When it came, in seconds since the epoch, by this machine's clock."""

    @cached_property
    def json(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """The body; None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def part(self, *steps: str | int) -> Any:  # noqa: ANN401 - JSON of any shape
        """A part of the body by names and positions; None where there is none."""
        here = self.json
        for step in steps:
            if isinstance(step, str) and isinstance(here, dict):
                here = here.get(step)
            elif isinstance(step, int) and isinstance(here, list) and step < len(here):
                here = here[step]
            else:
                return None
        return here

    @property
    def type(self) -> str:
        """The type of an OpenAI-shaped error."""
        found = self.part("error", "type")
        return found if isinstance(found, str) else ""

    @property
    def is_ok(self) -> bool:
        """Whether it is a 200."""
        return self.status == 200

    @property
    def is_html(self) -> bool:
        """Whether it is a web page."""
        kind = self.headers.get("content-type", "").lower()
        return "text/html" in kind or self.body.lstrip()[:14].lower() in {"<!doctype html", "<html"}

    @property
    def said(self) -> str:
        """What it is, in a few words: `404 model_not_found`, or why there is no answer."""
        if self.failure is not None:
            return f"{self.failure}{f' ({plain(self.detail)})' if self.detail else ''}"
        if self.is_html:
            return f"{self.status} with a web page"
        where = self.headers.get("location")
        if 300 <= self.status < 400 and where:
            return f"{self.status} to {plain(where)}"
        message = self.part("error", "message") or self.part("error") or self.part("detail")
        text = self.type or (message if isinstance(message, str) else "")
        return f"{self.status} {plain(text)}".strip()


@dataclass(frozen=True, slots=True)
class VerifyJudgement:
    """How a check ended, what was seen, and what to do."""

    verdict: VerifyVerdict
    seen: str
    do: str = ""


def passed(seen: str) -> VerifyJudgement:
    """What must hold, holds."""
    return VerifyJudgement(VerifyVerdict.PASSED, seen)


def failed(seen: str, do: str) -> VerifyJudgement:
    """It does not."""
    return VerifyJudgement(VerifyVerdict.FAILED, seen, do)


def not_applicable(why: str) -> VerifyJudgement:
    """There is nothing of the kind here."""
    return VerifyJudgement(VerifyVerdict.NOT_APPLICABLE, why)


def not_checked(why: str, do: str = "") -> VerifyJudgement:
    """It could not be seen."""
    return VerifyJudgement(VerifyVerdict.NOT_CHECKED, why, do)


def plain(text: object, longest: int = LONGEST) -> str:
    """A server's own text on one line, cut, with nothing in it that looks like a key."""
    said = one_line(hide_keys(str(text)[: 4 * longest]))
    return said if len(said) <= longest else f"{said[: longest - 3]}..."
