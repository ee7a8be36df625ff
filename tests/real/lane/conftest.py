"""Lanes that the tests of this folder share: one takes 10 s to start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.lane import coder
from tests.real.lane.rig import Rig, rig
from tests.real.upstreams import listening

ROUTER = Path(__file__).with_name("router.yaml")
"""The router file of these tests, its OptiLLM handles `boost` (narrow), `wide` and `code`."""


@pytest.fixture(scope="package")
def coder_environ() -> Iterator[dict[str, str]]:
    """Where the model is that writes code."""
    with listening(coder.APP) as root:
        yield {"CODER_API_BASE": f"{root}/v1"}


@pytest.fixture(scope="package")
def _current(coder_environ: dict[str, str]) -> Iterator[Rig]:
    with rig(ROUTER, optillm="0.4.0", environ=coder_environ) as running:
        yield running


@pytest.fixture
def current(_current: Rig) -> Rig:
    """The lane with OptiLLM 0.4.0 and the hooks, nothing seen yet."""
    _current.clear()
    return _current
