"""What LiteLLM's tested versions do differently, as data: each fact by the version from which it is so."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

INSTALLED: Final = tuple(int(part) for part in version("litellm").split(".")[:3])

LONE_DEPLOYMENTS_REST: Final = INSTALLED < (1, 108, 0)
"""Whether `allowed_fails` rests a deployment that is alone in its group and has no fallback."""
