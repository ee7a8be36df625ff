"""Which advisories concern the running LiteLLM, and whether they stop the start."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from litellm_homelab.advisories import versions
from litellm_homelab.advisories.listed import LITELLM, OPTILLM, Advisory


@dataclass(frozen=True, slots=True)
class Concern:
    """An advisory that concerns this installation."""

    advisory: Advisory
    accepted: bool
    """Whether `homelab.accept_advisories` names it."""

    @property
    def stops(self) -> bool:
        """Whether it stops the start: a hole that is known to be exploited, and not accepted."""
        return self.advisory.exploited and not self.accepted


def concerns(version: str, advisories: Iterable[Advisory], accepted: Collection[str]) -> Iterator[Concern]:
    """
    The advisories of LiteLLM whose ranges hold `version`, in their order.

    `accepted` are ids or aliases. A version that is not a number (a build of one's own) cannot be compared
    and concerns none; `is_readable` says so.
    """
    running = versions.ordered(version)
    for one in advisories:
        if running is None or one.package != LITELLM:
            continue
        if any(one_range.holds(running) for one_range in one.affected):
            yield Concern(one, _is_accepted(one, accepted))


def of_approaches(
    approaches: Collection[str], advisories: Iterable[Advisory], accepted: Collection[str]
) -> Iterator[tuple[str, Advisory]]:
    """(approach, advisory) where a listed approach reaches a hole of OptiLLM's that is not accepted."""
    for one in advisories:
        if one.package == OPTILLM and not _is_accepted(one, accepted):
            yield from ((name, one) for name in one.approaches if name in approaches)


def is_readable(version: str) -> bool:
    """Whether a version can be compared with the ranges of advisories."""
    return versions.ordered(version) is not None


def _is_accepted(advisory: Advisory, accepted: Collection[str]) -> bool:
    return any(name in accepted for name in advisory.ids)
