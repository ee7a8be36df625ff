"""Every check, and every message id with its severity and its sentence for the documentation."""

from __future__ import annotations

from typing import Final

from litellm_homelab.check import (
    deployments,
    env_file,
    fallbacks,
    guardrails,
    limits,
    optillm_file,
    ours,
    providers,
    references,
    sections,
    settings,
    start_ids,
    values,
)
from litellm_homelab.check.finding import FileCheck, MessageId

MODULES: Final = (
    *(values, sections, deployments, providers, limits, fallbacks, settings, references, guardrails),
    ours,
)
CHECKS: Final = tuple(
    one for module in MODULES for one in vars(module).values() if isinstance(one, FileCheck)
)
"""Every rule over a router.yaml, in the order of its modules."""


def message_ids() -> dict[str, tuple[MessageId, ...]]:
    """Every id, by where it comes from: a heading of the documentation."""
    found = [one.message for one in CHECKS]
    return {
        "LiteLLM's traps": tuple(one for one in found if one.id.startswith("litellm-")),
        "What the start reports": start_ids.message_ids(),
        "Around our own settings": tuple(one for one in found if not one.id.startswith("litellm-")),
        "OptiLLM's configuration (`--optillm-config`)": tuple(optillm_file.IDS.values()),
        "The environment file (`--env`)": tuple(env_file.IDS.values()),
    }
