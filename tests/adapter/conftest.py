"""Fixtures of the hooks' tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def quiet() -> Iterator[None]:
    """LiteLLM writes a traceback for each refusal, which takes longer than the refusal."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
