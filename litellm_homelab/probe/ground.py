"""What experiments rest on: how this server answers when nothing but the temperature changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from litellm_homelab.probe.reading import ProbeAnswer

TOKENS: Final = 24
"""Length of an ordinary answer."""
THINKING_TOKENS: Final = 400
"""Length where the content matters and the model reasons first."""
COOL: Final = 0
HOT: Final = (1.9, 1.0)
"""Temperatures that make answers differ; the second where a server takes no more than 1."""
HOTTER: Final = "hotter"
"""In what was seen: the trial `hot` had the second temperature."""
NONSENSE: Final = {"homelab_probe_nonsense": 2}
"""A parameter that no server knows."""
DRAWS: Final = 6
"""
Answers that must all differ before a server counts as random.

One that picks among four texts of its own cannot do it, and one that picks among ten has it once in seven.
"""
REPEATS: Final = 4
"""Answers that must be the same before a parameter counts as what made them so."""
ENOUGH: Final = 8
"""Characters of a text that can be compared."""
STORY: Final = "Write a long story about the sea, in plain words."

Fields: TypeAlias = Mapping[str, Any]
Seen: TypeAlias = Mapping[str, tuple[ProbeAnswer, ...]]
"""Answers by the label of their trial, in order."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A request, sent some times: what is added to the ordinary one."""

    label: str
    fields: Fields
    times: int = 1
    prompt: str = STORY
    tokens: int = TOKENS


@dataclass(frozen=True, slots=True)
class ProbeGround:
    """What can be compared on this server."""

    steady: Fields | None = None
    """Fields with which the same request has the same answer; None: there are none."""
    steady_text: str = ""
    random: Fields | None = None
    """Fields with which the same request has another answer each time."""
    why_not_steady: str = ""
    why_not_random: str = ""
    samples: tuple[str, ...] = ()
    """Ordinary answers, whatever they are."""

    thinks: bool = False
    """The model reasons before it answers."""

    @property
    def usual_length(self) -> int:
        """Characters of an ordinary answer, the shortest one left out: it may have ended early."""
        if self.steady is not None:
            return len(self.steady_text)
        lengths = sorted(map(len, self.samples))
        return lengths[1] if len(lengths) > 1 else 0


def first_trials() -> tuple[Trial, ...]:
    """What is asked before anything else."""
    return (
        Trial("plain", {}, DRAWS),
        Trial("cool", {"temperature": COOL}, 4),
        Trial("hot", {"temperature": HOT[0]}, DRAWS),
    )


def ok(answers: Sequence[ProbeAnswer]) -> list[ProbeAnswer]:
    """Those that are answers of a chat."""
    return [one for one in answers if one.is_ok]


def texts(seen: Seen, label: str) -> list[str]:
    """What the answers of a trial say; empty where any of them is none."""
    found = seen.get(label, ())
    return [one.text for one in found] if found and all(one.is_ok for one in found) else []


def are_same(found: Sequence[str]) -> bool:
    """Whether several texts are one, and long enough to be compared."""
    return len(found) > 1 and len({*found}) == 1 and len(found[0]) >= ENOUGH


def all_differ(found: Sequence[str]) -> bool:
    """Whether no two of several texts are the same; one of them may have ended early."""
    lengths = sorted(map(len, found))
    return len(found) > 1 and len({*found}) == len(found) and lengths[1] >= ENOUGH


def ground_of(seen: Seen) -> ProbeGround:
    """What can be compared, from the first trials and the one with a parameter that no server knows."""
    steady, steady_text, why_not = _steady(seen)
    random = next(
        (
            fields
            for label, fields in (("hot", hot_fields(seen)), ("plain", {}))
            if all_differ(texts(seen, label))
        ),
        None,
    )
    answers = [one for label in ("plain", "cool", "hot") for one in ok(seen.get(label, ()))]
    return ProbeGround(
        steady=steady,
        steady_text=steady_text,
        random=random,
        why_not_steady=why_not,
        why_not_random="" if random is not None else "answers do not differ of themselves",
        samples=tuple(one.text for one in answers),
        thinks=any(len(one.text) > len(one.content) for one in answers),
    )


def _steady(seen: Seen) -> tuple[Fields | None, str, str]:
    for label, fields in (("cool", {"temperature": COOL}), ("plain", {})):
        found = texts(seen, label)
        if not are_same(found):
            continue
        strange = texts(seen, "nonsense")
        if strange and set(strange) != set(found):
            return None, "", "answers change with a parameter that no server knows"
        return fields, found[0], ""
    return None, "", "the same request has different answers"


def hot_fields(seen: Seen) -> Fields:
    """The temperature that the trial `hot` had in the end."""
    return {"temperature": HOT[1] if HOTTER in seen else HOT[0]}
