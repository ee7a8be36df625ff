"""Settings for all tests."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# LiteLLM otherwise fetches its price list from the internet when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# How long an example takes says more about the machine than about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# What a shell runs in the background ignores Ctrl-C, and so would every process that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REAL = Path(__file__).parent / "real"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts real processes: everything below tests/real."""
    for item in items:
        if item.path.is_relative_to(REAL):
            item.add_marker(pytest.mark.real)
