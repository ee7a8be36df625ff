"""The registry of policies."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.adapter.policy import STAGES, Policy, defines
from litellm_homelab.config.sections import Homelab
from litellm_homelab.metrics.labels import RULES
from litellm_homelab.policies import POLICIES, active

SHOWROOM: dict[str, Any] = {"showroom": {"handles": ["main"]}}
ALWAYS = ["fields", "showroom", "hops", "approach"]


@pytest.mark.parametrize("registered", POLICIES, ids=lambda one: one.name)
def test_each_line_names_a_policy_of_that_name(registered: Any) -> None:
    """Its class is a policy, its name is the label, and it does something at some stage."""
    policy = registered.load()
    assert issubclass(policy, Policy)
    assert policy.name == registered.name
    assert registered.name in RULES
    assert any(getattr(policy, stage) is not getattr(Policy, stage) for stage in STAGES)
    assert not registered.section or registered.section in Homelab.model_fields


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({}, [*ALWAYS, "metrics"]),
        ({"optillm": {"main": {"approaches": ["none"]}}}, [*ALWAYS, "loop_guard", "metrics"]),
        (
            {"callers": {"o": {"key": "sk-of-optillm", "role": "optillm"}}},
            [*ALWAYS, "loop_guard", "metrics"],
        ),
        ({"callers": {"a": {"key": "sk-another-key"}}}, [*ALWAYS, "metrics"]),
    ],
    ids=["the least", "an OptiLLM handle", "OptiLLM's key", "another key"],
)
def test_settings_make_policies_active(more: dict[str, Any], names: list[str]) -> None:
    """In the order of the registry; the loop guard where OptiLLM may call back."""
    assert [one.name for one in active(Homelab.model_validate({**SHOWROOM, **more}))] == names


def test_a_stage_that_is_not_overridden_is_not_asked() -> None:
    """`defines` tells the two apart."""

    class Sees(Policy):
        async def attempt_failed(self, ctx: Any, error: Exception) -> None: ...

    assert [stage for stage in STAGES if defines(Sees(), stage)] == ["attempt_failed"]
