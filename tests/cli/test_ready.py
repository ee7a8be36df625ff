"""What is printed to try once the gateway answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.cli.plan import Plan
from litellm_homelab.cli.ready import lines_to_try

PLAN = Plan(Path("config/router.yaml"), Path("config/env.local"), {})


@pytest.mark.parametrize(
    ("models", "asked"),
    [
        pytest.param(["main", "fast"], ['"model": "main"'], id="without-boost"),
        pytest.param(["main", "boost"], ['"model": "main"', '"model": "boost"'], id="with-boost"),
    ],
)
def test_asks_the_first_handle_and_boost(models: list[str], asked: list[str]) -> None:
    """The first handle gets a chat, and the OptiLLM handle one with an approach where there is one."""
    chats = [line for line in lines_to_try(PLAN, models) if "/v1/chat/completions" in line]
    assert [next(text for text in asked if text in line) for line in chats] == asked
    assert ["optillm_approach" in line for line in chats] == ["boost" in text for text in asked]
