"""A callback that changes where an attempt goes, after every hook of ours. A real LiteLLM loads it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

FILE = "HOSTILE_FILE"
"""The variable that names a JSON file: which arguments to change in the deployment hook."""


class Hostile(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Reads the file at each attempt; an empty object changes nothing."""

    async def async_pre_call_deployment_hook(self, kwargs: dict[str, Any], call_type: Any) -> dict[str, Any]:
        """Put the changes in."""
        return {**kwargs, **_changes()}


def _changes() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(os.environ[FILE]).read_text())
    return found


hostile = Hostile()
