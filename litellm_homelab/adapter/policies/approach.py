"""The approach rule's hooks: what a request may ask of OptiLLM, and what exactly leaves for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from litellm_homelab.adapter.context import RequestContext, required
from litellm_homelab.adapter.litellm_api import request
from litellm_homelab.adapter.litellm_api.deployments import Deployments
from litellm_homelab.adapter.optillm import optillm_fields
from litellm_homelab.adapter.policies.fields import refuse_malformed
from litellm_homelab.adapter.policy import Policy
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import tools, wire
from litellm_homelab.optillm.lanes import Lanes, OptillmRun

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
        data.update(self._decide(ctx, model, data, by_name=True))
        # Whoever wrote them: LiteLLM's copy of the body, unlike the body, has no api_key and no headers.
        ctx.stats.stripped.update(optillm_fields.CREDENTIALS.intersection(ctx.fields))
        for name in optillm_fields.CREDENTIALS & data.keys():
            del data[name]
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
        if not optillm_fields.is_sent(call_type):
            return self._outer(group, kwargs, ctx, call_type)
        kwargs = {**kwargs, **self._decide(ctx, group, kwargs)}
        approach = ctx.runs[group].approach
        policy = wire.HandleLimits(max_n=self._lanes.lanes[group].max_n)
        params = self._deployments.params_of(chosen)
        sent, gone = optillm_fields.reduced(kwargs, policy, approach, ctx.fields, params)
        ctx.stats.stripped.update(gone)
        return sent

    def _outer(
        self, group: str, kwargs: dict[str, Any], ctx: RequestContext, call_type: object
    ) -> dict[str, Any]:
        """A responses, messages or Gemini request, which LiteLLM turns into a chat attempt of its own."""
        kept, _ = wire.strip(kwargs)
        own = tools.described(kept.get("tools")) if optillm_fields.is_message(call_type) else None
        described = {} if own is None else {"tools": own}
        return {**kept, **self._decide(ctx, group, kept), **described, **optillm_fields.UNCACHED}

    def _decide(
        self, ctx: RequestContext, group: str, fields: Mapping[str, Any], *, by_name: bool = False
    ) -> Mapping[str, object]:
        """
        Ask the rule, and note its answer; the fields that had to be made inert, most often none.

        Raises:
            Refused: the request may not go to OptiLLM.

        """
        named = filter(PROMPT_FIELDS.__contains__, fields)
        texts = {name: fields[name] for name in named if fields[name] is not None}
        run: OptillmRun | Refuse | None = ctx.runs.get(group)
        if run is None:
            run = self._lanes.decide(group, optillm_fields.asked(ctx), ctx.fields, by_name=by_name)
        if isinstance(run, Refuse):
            optillm_fields.refuse(run)
        # Each time: what the client sent is the same, what leaves may not be.
        prompt = self._lanes.prompt(group, texts, ctx.clean)
        if isinstance(prompt, Refuse):
            optillm_fields.refuse(prompt)
        ctx.runs[group], ctx.dropped = run, run.dropped
        ctx.stats.stripped.update(run.dropped)
        changed = {name: value for name, value in prompt.items() if value is not texts[name]}
        if changed:
            ctx.stats.inert = True
        return changed
