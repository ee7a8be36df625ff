"""A callback of the gateway under test: its clock is a file that the test writes (`tests/stepped.py`)."""

from __future__ import annotations

import importlib

from litellm.integrations.custom_logger import CustomLogger

importlib.import_module("tests.real.stepped.sitecustomize")


class SteppedClock(CustomLogger):  # type: ignore[misc]  # LiteLLM is untyped here
    """Does nothing: that its module was imported is enough."""


instance = SteppedClock()
