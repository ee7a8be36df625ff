"""Versions compared, as far as LiteLLM's own version numbers need it (PEP 440, without epochs)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

Ordered = tuple[tuple[int, ...], int]
"""The release without trailing zeros, then -1 for what comes before it, 0 for itself and what comes after."""

_VERSION: Final = re.compile(r"[vV]?(\d+(?:\.\d+)*)(.*)", re.DOTALL)
_BEFORE: Final = re.compile(r"[._-]?(a|b|c|rc|alpha|beta|pre|preview|nightly|dev)", re.IGNORECASE)


def ordered(version: str) -> Ordered | None:
    """
    A version as something that can be compared; None where it is not a version.

    `1.84.0rc1` and `1.84.0.dev2` come before `1.84.0`; `1.83.10.post3`, `1.83.10-stable` and `1.84.0+local`
    count as their release.
    """
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        return None
    numbers = [int(one) for one in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers), -1 if _BEFORE.match(found[2]) else 0


@dataclass(frozen=True, slots=True)
class Range:
    """
    Versions from `introduced` up to `last`, or up to but without `before`; an empty bound is none.

    What comes before a version (`1.84.0rc1`) is affected where the version is, and also where only the
    versions below it are: no source says which candidate had the change.
    """

    introduced: str = ""
    before: str = ""
    last: str = ""

    def holds(self, version: Ordered) -> bool:
        """Whether a version is in the range."""
        least, bound, last = (ordered(one) for one in (self.introduced, self.before, self.last))
        return (
            (least is None or version[0] >= least[0])
            and (bound is None or version < bound)
            and (last is None or version[0] <= last[0])
        )
