"""
Takes a root's tokens and cost out of LiteLLM's own account as soon as LiteLLM has made it.

The children of a root are in that account already. LiteLLM makes the account (its "standard logging payload")
in the request's task and, where a synchronous consumer is set (a cache, Langfuse, S3), once more in a thread.
The second one replaces the first, before or after the logging hook has changed that. Seen on 1.106.2 with
`cache: true`: one root of three was counted with its own tokens. 1.106.0, 1.108.7 and 1.110.2 do the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Mapping
from typing import Any, Final

from litellm.litellm_core_utils.litellm_logging import Logging

from litellm_homelab.adapter.litellm_api import lineage_cleanup, request, usage
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.config import wildcards

IsRoot = Callable[[Mapping[str, Any]], bool]
BUILD: Final = "_build_standard_logging_payload"
PAYLOAD: Final = "standard_logging_object"
"""Where LiteLLM keeps the payload among the details of a call."""
COST: Final = "response_cost"
MARK: Final = "_homelab_original"

_is_root: IsRoot | None = None


class Roots:
    """Finds out from LiteLLM's details of a call whether it went to an OptiLLM handle."""

    def __init__(self, deployments: Deployments, handles: Container[str]) -> None:
        self._deployments = deployments
        self._handles = handles

    def __call__(self, details: Mapping[str, Any]) -> bool:
        """Ask by the chosen deployment; a wildcard's group is the one that was asked for."""
        payload = details.get(PAYLOAD)
        chosen = payload.get("model_id") if isinstance(payload, dict) else None
        chosen = chosen or request.deployment_id(details.get("litellm_params") or {})
        group = self._deployments.group_of(str(chosen)) if chosen else None
        if group is not None and wildcards.is_wildcard(group) and isinstance(payload, dict):
            group = payload.get("model_group")
        return isinstance(group, str) and group in self._handles


def watch(is_root: IsRoot | None) -> None:
    """Use `is_root` on LiteLLM's details of every call from now on; None leaves all payloads as they are."""
    global _is_root
    _is_root = is_root
    original = getattr(Logging, BUILD)
    if hasattr(original, MARK):
        return

    @functools.wraps(original)
    def built(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - LiteLLM's types
        payload = original(self, *args, **kwargs)
        if (
            payload is not None
            and _is_root is not None
            and _is_root({**self.model_call_details, PAYLOAD: payload})
        ):
            _clear(self.model_call_details, payload)
        return payload

    setattr(built, MARK, original)
    setattr(Logging, BUILD, built)


def _clear(details: dict[str, Any], payload: Any) -> None:  # noqa: ANN401 - LiteLLM's payload
    """Take tokens, cost and the lineage token out of a payload, and the cost out of the call's details."""
    usage.struck(payload)
    lineage_cleanup.account({PAYLOAD: payload})
    details[COST] = 0.0
