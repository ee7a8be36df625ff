"""A callback of LiteLLM that writes down all that integrations get."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

SPY_LOG = "SPY_LOG"
"""The variable that names the file it writes to."""


class Spy(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Notes every success and failure, each on one line."""

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Note the details of the call, and its answer."""
        note("success", kwargs, response_obj)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """Note the details of the call, and its error."""
        note("failure", kwargs, response_obj)


def note(event: str, kwargs: Any, response: Any) -> None:
    """Add a line."""
    with Path(os.environ[SPY_LOG]).open("a", encoding="utf-8") as log:
        log.write(f"{event} {kwargs!r} {response!r}\n")


spy = Spy()
