"""Verdicts on parameters, and those that every parameter shares: rejected, or without an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from litellm_homelab.probe.ground import Seen


class ProbeVerdict(StrEnum):
    """What a server does with a parameter."""

    ACCEPTED = "accepted"
    """An effect was seen that the same request without it does not have."""
    IGNORED = "ignored"
    """It is let through, and the effect that it should have is missing."""
    REJECTED = "rejected"
    """The request is refused with it, twice, and served without it in between."""
    UNKNOWN = "not known"
    """The experiment could not tell."""


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """A parameter, the verdict, and what it rests on."""

    parameter: str
    verdict: ProbeVerdict
    why: str


CONTROL = "control "
"""Before the label of a trial: the ordinary request between two refusals."""


def refused(parameter: str, seen: Seen, labels: tuple[str, ...]) -> ProbeFinding | None:
    """
    The verdict where a trial with the parameter was not answered; None where all were.

    `rejected` needs two refusals of every trial, each with an ordinary answer between them.
    """
    failed = [label for label in labels if not all(one.is_ok for one in seen.get(label, ()))]
    if not all(seen.get(label) for label in labels):
        return ProbeFinding(parameter, ProbeVerdict.UNKNOWN, "not tried")
    if not failed:
        return None
    first = next(one for one in seen[failed[0]] if not one.is_ok)
    if all(_is_rejected(seen, label) for label in labels):
        return ProbeFinding(parameter, ProbeVerdict.REJECTED, first.error)
    why = first.error
    if len(failed) < len(labels):
        why = f"some values are not served: {why}"
    elif not all(one.is_ok for label in failed for one in seen.get(CONTROL + label, ())):
        why = f"{why}; without it as well"
    return ProbeFinding(parameter, ProbeVerdict.UNKNOWN, why)


def _is_rejected(seen: Seen, label: str) -> bool:
    """Whether a trial was refused each time it was asked, twice or more, and the ordinary request was not."""
    answers, control = seen[label], seen.get(CONTROL + label, ())
    is_served = bool(control) and all(one.is_ok for one in control)
    return is_served and len(answers) > 1 and all(one.is_refused for one in answers)
