"""In which order requests wait: by the priority of the caller and of the handle."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from litellm_homelab.config.sections import Priority

RANKS: Final[Mapping[Priority, int]] = MappingProxyType({"high": 0, "normal": 1, "low": 2})
"""Who waits with a lower number goes first."""
NAMES: Final[tuple[Priority, ...]] = tuple(RANKS)
"""Priorities by their rank."""


@lru_cache
def rank(*given: Priority | None) -> int:
    """The rank of a request: the lowest of the priorities that are set, `normal` where none is."""
    return max((RANKS[one] for one in given if one is not None), default=RANKS["normal"])
