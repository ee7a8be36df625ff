"""What `homelab.gate.ui` opens."""

from __future__ import annotations

from litellm_homelab.access.openings import UI
from litellm_homelab.access.table import Access, paths, reviewed


def test_the_admin_uis_routes_are_those_that_ask_for_no_key() -> None:
    """Each is a keyless route of LiteLLM's: none manages anything, none reaches a model."""
    assert set(UI) <= paths(reviewed(), Access.KEYLESS)
