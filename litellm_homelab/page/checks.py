"""What is wrong with `homelab.page`, and with callers that are for the page only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from litellm_homelab.config.findings import Caution

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """Say what keeps the page from being served, and which callers have nothing to read."""
    homelab = settings.homelab
    admins = [name for name, one in homelab.callers.items() if one.role == "admin"]
    if homelab.page:
        if not settings.secret:
            yield "homelab.page: sessions are signed; set homelab.secret, or general_settings.master_key"
        elif not settings.master_key and not admins:
            yield (
                "homelab.page: no key could log in; set general_settings.master_key, or add a caller with "
                "`role: admin`"
            )
        return
    for name, one in homelab.callers.items():
        if one.role == "widgets":
            yield Caution(
                f"homelab.callers.{name}: a key of role widgets reads only /homelab/widget.json, which is "
                "served with `homelab.page: true`"
            )
