"""The approach rule's hooks: what a request may ask of OptiLLM, and what exactly leaves for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from litellm_homelab.adapter.context import RequestContext, required
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.policies import optillm_fields
from litellm_homelab.adapter.policies.fields import refuse_malformed
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import dropped, tools, wire
from litellm_homelab.optillm.approaches import Approach
from litellm_homelab.optillm.lanes import Lanes

if TYPE_CHECKING:
    from litellm_homelab.adapter.wiring import Shared

PROMPT_FIELDS = frozenset(
    {"system", "prompt", "input", "instructions", "contents", "systemInstruction", "config", "text", "suffix"}
    | (wire.ALWAYS.keys() - {"model"})
    | wire.PASSED_ON.keys()
)
"""Fields whose text reaches OptiLLM, over all routes that lead to it; a number may be text, too."""


class ApproachPolicy(Policy):
    """Applies the approach rule: what a request may ask of OptiLLM, and what leaves for it."""

    name = "approach"

    def __init__(self, lanes: Lanes, deployments: Deployments) -> None:
        self._lanes = lanes
        self._deployments = deployments

    @classmethod
    def build(cls, shared: Shared) -> Self:
        """Make it from what policies share."""
        return cls(shared.lanes, shared.deployments)

    async def pre_call(self, ctx: RequestContext, data: dict[str, Any], call_type: str) -> None:  # noqa: ARG002
        """Refuse what an OptiLLM handle does not allow; make tags inert where the operator chose so."""
        model = data.get("model")
        if not isinstance(model, str) or model not in self._lanes.lanes:
            return
        refuse_malformed(ctx)
        self._refuse(self._lanes.unsupported(model, ctx.fields))
        self._drop(ctx, model, optillm_fields.approach_of(self._lanes, ctx, model))
        data.update(self._prompt(model, data, ctx))
        # Whoever wrote them: LiteLLM's copy of the body, unlike the body, has no api_key and no headers.
        ctx.stats.stripped.update(optillm_fields.CREDENTIALS.intersection(ctx.fields))
        for name in optillm_fields.CREDENTIALS:
            data.pop(name, None)
        # The root's retries are the ledger's to stop, not the client's or the router's to multiply.
        data["num_retries"] = 0

    async def attempt(
        self,
        ctx: RequestContext | None,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's enum, or None
    ) -> dict[str, Any] | None:
        """Build what leaves for OptiLLM from known fields; take OptiLLM's fields out of everything else."""
        chosen = request.deployment_id(kwargs)
        group = self._deployments.group_in(kwargs, ctx.asked if ctx else None)
        if chosen is None or group is None or group not in self._lanes.lanes:
            kept, stripped = wire.strip(kwargs)
            if ctx is not None:
                ctx.stats.stripped.update(stripped)
                ctx.dropped = ()
            return dict(kept) if stripped else None
        ctx = required()
        approach = optillm_fields.approach_of(self._lanes, ctx, group)
        self._drop(ctx, group, approach)
        if not optillm_fields.is_sent(call_type):
            return self._outer(group, kwargs, ctx, call_type)
        kwargs = {**kwargs, **self._prompt(group, kwargs, ctx)}
        policy = wire.HandleLimits(max_n=self._lanes.lanes[group].max_n)
        params = self._deployments.params_of(chosen)
        sent, gone = optillm_fields.reduced(kwargs, policy, approach, ctx.fields, params)
        ctx.stats.stripped.update(gone)
        return sent

    def _drop(self, record: RequestContext, group: str, approach: Approach) -> None:
        """Note what the approach drops; refuse it where the operator chose so."""
        record.dropped = dropped.dropped(approach, record.fields)
        refusal = dropped.refusal(group, self._lanes.lanes[group], approach, record.dropped)
        if refusal is not None:
            optillm_fields.refuse(refusal)
        record.stats.stripped.update(record.dropped)

    def _outer(
        self, group: str, kwargs: dict[str, Any], ctx: RequestContext, call_type: object
    ) -> dict[str, Any]:
        """A responses, messages or Gemini request, which LiteLLM turns into a chat attempt of its own."""
        kept, _ = wire.strip(kwargs)
        own = tools.described(kept.get("tools")) if optillm_fields.is_message(call_type) else None
        described = {} if own is None else {"tools": own}
        return {**kept, **self._prompt(group, kept, ctx), **described, **optillm_fields.UNCACHED}

    def _prompt(self, group: str, fields: Mapping[str, Any], ctx: RequestContext) -> Mapping[str, object]:
        """The fields that had to be made inert; most often none."""
        texts = {name: value for name, value in fields.items() if name in PROMPT_FIELDS and value is not None}
        allowed = self._lanes.prompt(group, texts, ctx.clean)
        if isinstance(allowed, Refuse):
            optillm_fields.refuse(allowed)
        changed = {name: value for name, value in allowed.items() if value is not texts[name]}
        if changed:
            ctx.stats.inert = True
        return changed

    @staticmethod
    def _refuse(refusal: Refuse | None) -> None:
        if refusal is not None:
            raise Refused(refusal)
