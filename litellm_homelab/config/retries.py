"""How often LiteLLM asks a group again, as router.yaml says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litellm_homelab.config.yaml_text import section_of

DEFAULT_RETRIES: Final = 2
"""The SDK's, where `num_retries` is not set (`openai.DEFAULT_MAX_RETRIES`, 1.108.7)."""
CHAIN_SECONDS: Final = 1800
"""How long a chain may take with its retries: `check` has a hint for more, `init` a timeout that fits."""


def after_a_timeout(document: Mapping[str, Any], group: str) -> int:
    """Retries after a timeout: the group's policy, else the policy, else `num_retries`."""
    router, litellm = (section_of(document, name) for name in ("router_settings", "litellm_settings"))
    by_group = router.get("model_group_retry_policy")
    policies = (by_group.get(group) if isinstance(by_group, dict) else None, router.get("retry_policy"))
    for policy in policies:
        if isinstance(policy, dict):
            found = policy.get("TimeoutErrorRetries", policy.get("DefaultRetries"))
            if isinstance(found, int):
                return found
    retries = router.get("num_retries", litellm.get("num_retries", DEFAULT_RETRIES))
    return retries if isinstance(retries, int) else DEFAULT_RETRIES
