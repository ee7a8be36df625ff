"""
What we read of LiteLLM's router, by the names that its version has.

From 1.110 on reads go through `registry()` and `settings()`; the former members are deprecated there and
announced to go (`litellm/router_deprecated.py`). 1.106 and 1.108 have the former ones alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def model_list(router: Any) -> Sequence[dict[str, Any]]:  # noqa: ANN401 - LiteLLM's Router
    """Every deployment, as LiteLLM keeps it."""
    found: Sequence[dict[str, Any]] = (
        router.registry().all() if hasattr(router, "registry") else router.model_list
    )
    return found


def deployment(router: Any, name: str) -> Any:  # noqa: ANN401 - LiteLLM's types
    """The deployment with an id, None for an unknown one."""
    if hasattr(router, "registry"):
        return router.registry().deployment(name)
    return router.get_deployment(model_id=name)


def context_window_fallbacks(router: Any) -> object:  # noqa: ANN401 - LiteLLM's Router
    """Return the operator's `context_window_fallbacks`; an empty list until LiteLLM has made its router."""
    held = router.settings() if hasattr(router, "settings") else router
    return getattr(held, "context_window_fallbacks", None)


def resting(router: Any) -> tuple[str, ...]:  # noqa: ANN401 - LiteLLM's Router
    """The ids of the deployments in cooldown."""
    if hasattr(router, "health"):
        names, cooldowns = router.registry().names(kind="ids"), router.health().cooldowns
    else:
        names, cooldowns = router.get_model_ids(), router.cooldown_cache
    return tuple(one for one, _ in cooldowns.get_active_cooldowns(names, parent_otel_span=None))
