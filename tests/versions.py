"""What LiteLLM's tested versions do differently, as data: each fact by the version from which it is so."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

INSTALLED: Final = tuple(int(part) for part in version("litellm").split(".")[:3])

LONE_DEPLOYMENTS_REST: Final = INSTALLED < (1, 108, 0)
"""Whether `allowed_fails` rests a deployment that is alone in its group and has no fallback."""

OPENAI: Final = int(version("openai").split(".")[0])
"""The OpenAI SDK's major version: 2 with LiteLLM 1.106, 3 from 1.108 on."""

QUOTED_ERROR: Final = "" if OPENAI >= 3 else "{'error': {'message': '"
"""What stands before an upstream's message in the text of the SDK's error."""
