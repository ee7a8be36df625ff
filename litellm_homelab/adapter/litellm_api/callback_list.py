"""LiteLLM's list of callbacks, in which the plugin must be exactly once."""

from __future__ import annotations

import logging
from typing import Any, Final

from litellm_homelab.adapter.log_limits import log_seldom

DROPPED: Final = (
    "homelab: litellm_homelab.plugin is not in litellm.callbacks any more, so every request is refused. "
    "Something replaced the list after the start; find it, or restart the gateway."
)


def add(litellm: Any, plugin: object) -> None:  # noqa: ANN401 - LiteLLM's module
    """Put the plugin into the list once."""
    if not isinstance(litellm.callbacks, list):
        litellm.callbacks = []
    if plugin not in litellm.callbacks:
        litellm.callbacks.append(plugin)


def has_once(litellm: Any, plugin: object) -> bool:  # noqa: ANN401 - LiteLLM's module
    """
    Whether the plugin is in the list; a second mention of it is removed.

    LiteLLM adds a callback again where a startup hook and router.yaml both name it, and replaces the whole
    list where `callbacks` is a text (1.106.2).
    """
    listed = litellm.callbacks
    found = listed.count(plugin) if isinstance(listed, list) else 0
    if found > 1:
        first = listed.index(plugin)
        listed[:] = [one for number, one in enumerate(listed) if one is not plugin or number == first]
    elif not found:
        log_seldom(logging.ERROR, DROPPED)
    return found > 0
