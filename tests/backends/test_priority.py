"""In which order requests wait."""

from __future__ import annotations

import pytest

from litellm_homelab.backends import priority
from litellm_homelab.config.sections import Priority


@pytest.mark.parametrize(
    ("caller", "handle", "name"),
    [
        (None, None, "normal"),
        ("high", None, "high"),
        (None, "high", "high"),
        ("high", "low", "low"),
        ("low", "high", "low"),
        ("high", "normal", "normal"),
    ],
)
def test_the_lower_priority_counts(caller: Priority | None, handle: Priority | None, name: str) -> None:
    """Of the caller's and the handle's, where both are set; `normal` where none is."""
    assert priority.NAMES[priority.rank(caller, handle)] == name
