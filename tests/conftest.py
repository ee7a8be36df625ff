"""Settings for all tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# LiteLLM otherwise fetches its price list from the internet when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

# How long an example takes says more about the machine than about the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

REAL = Path(__file__).parent / "real"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts real processes: everything below tests/real."""
    for item in items:
        if item.path.is_relative_to(REAL):
            item.add_marker(pytest.mark.real)
