"""Which limits each group has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from litellm_homelab.timeouts.rule import TimeLimits

if TYPE_CHECKING:
    from litellm_homelab.config.sections import TimeoutSection

DEFAULT: Final = "default"
"""The entry of `homelab.timeouts` for groups without one, and for what an entry leaves out."""


def limits_of(group: str, section: Mapping[str, TimeoutSection]) -> TimeLimits:
    """The limits of a group; one that neither its entry nor `default` sets is none."""
    rest, own = section.get(DEFAULT), section.get(group)
    found = {}
    for name in ("connect", "first_token", "idle", "total"):
        values = (getattr(one, name) for one in (own, rest) if one is not None)
        found[name] = next((value for value in values if value is not None), None)
    return TimeLimits(**found)
