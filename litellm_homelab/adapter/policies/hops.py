"""The hop rule's hooks: is this request back where it has been, by way of other gateways?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from litellm_homelab.adapter.context import RequestContext
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.litellm_api.hop_header import RULE, end_root
from litellm_homelab.adapter.outcome import Level
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.adapter.recording import meter
from litellm_homelab.attempts import hops
from litellm_homelab.attempts.hops import GatewayIdentity, Hops
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.optillm.ledger import Ledger

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared


class HopsPolicy(Policy):
    """Applies the hop rule: refuses a request that comes back by way of other gateways."""

    name = RULE

    def __init__(self, identity: GatewayIdentity, deployments: Deployments, ledger: Ledger) -> None:
        self._identity = identity
        self._deployments = deployments
        self._ledger = ledger

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        return cls(shared.identity, shared.deployments, shared.ledger)

    async def pre_call(self, ctx: RequestContext, data: dict[str, Any], call_type: str) -> None:  # noqa: ARG002
        """Refuse a name that the request has had here before, or a header that cannot be read."""
        if ctx.hops != ():
            refusal = self._refusal(ctx, None)
            if refusal is not None:
                await self._note(ctx, refusal)
                raise Refused(refusal, RULE)

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """Refuse a group that the request has been sent to before."""
        if ctx is None or ctx.hops == ():
            return None
        refusal = self._refusal(ctx, self._deployments.group_in(kwargs, ctx.asked))
        if refusal is not None:
            await self._note(ctx, refusal)
            ctx.outcome.refuse(RULE, refusal, Level.ATTEMPT)
            # A 400 to LiteLLM's router, which cools a deployment down for every 5xx (measured on 1.106.2).
            raise Refused(replace(refusal, to_child=True), RULE)
        return None

    def _refusal(self, ctx: RequestContext, group: str | None) -> Refuse | None:
        own: Hops = self._identity.pairs(ctx.asked, group)
        decided = hops.decide(ctx.hops, own, to_child=ctx.is_optillms)
        return decided if isinstance(decided, Refuse) else None

    async def _note(self, ctx: RequestContext, refusal: Refuse) -> None:
        """Count a loop, and end the root of a child that is one."""
        if refusal.type is not RefusalType.LOOP_DETECTED:
            return
        meter().loop(ctx.child.handle if ctx.child else ctx.asked)
        await end_root(self._ledger, ctx)
