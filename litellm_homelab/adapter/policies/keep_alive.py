"""How long an Ollama keeps a handle's model in memory: said with each request to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from litellm_homelab.adapter import context
from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.fail_closed import log_and_continue
from litellm_homelab.adapter.litellm_api.targets import Targets
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.backends.keep_alive import FIELD, PROVIDERS, KeepAlive, put_into

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared

EMBEDDINGS: Final = frozenset({"embedding", "aembedding"})
"""Call types whose body LiteLLM shows no hook before it sends it to an Ollama (1.108.7)."""


class KeepAlivePolicy(Policy):
    """Says in each request to an Ollama how long it keeps the model in memory."""

    name = "keep_alive"

    def __init__(self, section: Mapping[str, KeepAlive], targets: Targets) -> None:
        self._section = section
        self._targets = targets

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        return cls(shared.settings.homelab.keep_alive, shared.targets)

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """Give an embedding the setting, which LiteLLM sends along."""
        if str(getattr(call_type, "value", call_type)) not in EMBEDDINGS:
            return None
        value = self._of(ctx)
        return None if value is None else {**kwargs, FIELD: value}

    def sending(self, ctx: RequestContext | None, body: dict[str, Any]) -> None:
        """Put the setting into the body that is about to be sent."""
        with log_and_continue(self.name):
            value = self._of(ctx)
            if value is not None:
                put_into(body, value)

    def _of(self, ctx: RequestContext | None) -> KeepAlive | None:
        """The setting of the attempt under way; None where there is none, or its server is no Ollama."""
        group = ctx.stats.chosen if ctx is not None else None
        value, chosen = self._section.get(group or ""), context.chosen()
        if value is None or chosen is None or chosen.deployment is None:
            return None
        target = self._targets.of(chosen.deployment)
        return value if target is not None and target.provider in PROVIDERS else None
