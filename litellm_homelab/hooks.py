"""The entry points of earlier versions: each stops the start with the two lines that replace them."""

from __future__ import annotations

from typing import Any

from litellm_homelab.config.entry_points import LINES, OLD, OLD_PREFIX
from litellm_homelab.config.settings import SettingsError


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute
    if name in OLD:
        raise SettingsError([f"{OLD_PREFIX}{name}: no longer an entry point; write {LINES}"])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
