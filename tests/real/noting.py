"""A callback that writes what LiteLLM logs of guardrails to a file. LiteLLM loads it in its own process."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

FILE = "NOTES_FILE"
"""The variable that says which file."""


class Notes(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """One line for each request that LiteLLM logs, served or not."""

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Note a request that was served."""
        self._note(kwargs, "served")

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Note one that was not."""
        self._note(kwargs, "failed")

    @staticmethod
    def _note(kwargs: dict[str, Any], outcome: str) -> None:
        logged = kwargs.get("standard_logging_object") or {}
        line = {"outcome": outcome, "guardrails": logged.get("guardrail_information")}
        with Path(os.environ[FILE]).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(line, default=str) + "\n")


notes = Notes()
