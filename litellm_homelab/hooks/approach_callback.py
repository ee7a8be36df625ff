"""The approach rule's hooks: what a request may ask of OptiLLM, and what exactly leaves for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from litellm_homelab import request
from litellm_homelab.decision import Refuse
from litellm_homelab.hooks import attempt
from litellm_homelab.hooks.closed import closed
from litellm_homelab.hooks.context import Record, current, required
from litellm_homelab.hooks.deployments import Deployments
from litellm_homelab.hooks.metering import timed
from litellm_homelab.hooks.opening import Opening
from litellm_homelab.hooks.refusal import Refused
from litellm_homelab.hooks.request_fields import refuse_malformed
from litellm_homelab.optillm import dropped, tools, wire
from litellm_homelab.optillm.approaches import Approach
from litellm_homelab.optillm.lanes import Lanes

PROMPT_FIELDS = frozenset(
    {"system", "prompt", "input", "instructions", "contents", "systemInstruction", "config", "text", "suffix"}
    | (wire.ALWAYS.keys() - {"model"})
    | wire.PASSED_ON.keys()
)
"""Fields whose text reaches OptiLLM, over all routes that lead to it; a number may be text, too."""


class ApproachCallback(CustomLogger):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Applies the approach rule to LiteLLM: every hook stands on this class itself (see ShowroomCallback)."""

    def __init__(self, lanes: Lanes, opening: Opening, deployments: Deployments) -> None:
        super().__init__()
        self._lanes = lanes
        self._opening = opening
        self._deployments = deployments

    @timed("pre_call")
    @closed("approach")
    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401 - LiteLLM's signature
        cache: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        data: dict[str, Any],
        call_type: str,  # noqa: ARG002 - LiteLLM's signature
    ) -> dict[str, Any]:
        """Refuse what an OptiLLM handle does not allow; make tags inert where the operator chose so."""
        record = await self._opening.open(data, user_api_key_dict)
        model = data.get("model")
        if isinstance(model, str) and model in self._lanes.lanes:
            refuse_malformed(record)
            self._refuse(self._lanes.unsupported(model, record.fields))
            self._drop(record, model, attempt.approach_of(self._lanes, record, model))
            data.update(self._prompt(model, data))
            # Whoever wrote them: LiteLLM's copy of the body, unlike the body, has no api_key and no headers.
            record.tally.stripped.update(attempt.CREDENTIALS.intersection(record.fields))
            for name in attempt.CREDENTIALS:
                data.pop(name, None)
            # The root's retries are the ledger's to stop, not the client's or the router's to multiply.
            data["num_retries"] = 0
        return data

    @timed("attempt")
    @closed("approach")
    async def async_pre_call_deployment_hook(
        self,
        kwargs: dict[str, Any],
        call_type: Any,  # noqa: ANN401 - LiteLLM's signature
    ) -> dict[str, Any] | None:
        """Build what leaves for OptiLLM from known fields; take OptiLLM's fields out of everything else."""
        chosen = request.deployment_id(kwargs)
        group = self._deployments.group_in(kwargs, _asked())
        if chosen is None or group is None or group not in self._lanes.lanes:
            kept, stripped = wire.strip(kwargs)
            _note_stripped(stripped)
            _nothing_dropped()
            return dict(kept) if stripped else None
        record = required()
        approach = attempt.approach_of(self._lanes, record, group)
        self._drop(record, group, approach)
        if not attempt.is_sent(call_type):
            return self._outer(group, kwargs, call_type)
        kwargs = {**kwargs, **self._prompt(group, kwargs)}
        policy = wire.Policy(max_n=self._lanes.lanes[group].max_n)
        params = self._deployments.params_of(chosen)
        sent, gone = attempt.reduced(kwargs, policy, approach, record.fields, params)
        _note_stripped(gone)
        return sent

    def _drop(self, record: Record, group: str, approach: Approach) -> None:
        """Note what the approach drops; refuse it where the operator chose so."""
        record.dropped = dropped.dropped(approach, record.fields)
        refusal = dropped.refusal(group, self._lanes.lanes[group], approach, record.dropped)
        if refusal is not None:
            attempt.refuse(refusal)
        record.tally.stripped.update(record.dropped)

    def _outer(self, group: str, kwargs: dict[str, Any], call_type: object) -> dict[str, Any]:
        """A responses, messages or Gemini request, which LiteLLM turns into a chat attempt of its own."""
        kept, _ = wire.strip(kwargs)
        own = tools.described(kept.get("tools")) if attempt.is_message(call_type) else None
        described = {} if own is None else {"tools": own}
        return {**kept, **self._prompt(group, kept), **described, **attempt.UNCACHED}

    def _prompt(self, group: str, fields: Mapping[str, Any]) -> Mapping[str, object]:
        """The fields that had to be made inert; most often none."""
        texts = {name: value for name, value in fields.items() if name in PROMPT_FIELDS and value is not None}
        record = current()
        allowed = self._lanes.prompt(group, texts, record.clean if record else None)
        if isinstance(allowed, Refuse):
            attempt.refuse(allowed)
        changed = {name: value for name, value in allowed.items() if value is not texts[name]}
        record = current()
        if changed and record is not None:
            record.tally.inert = True
        return changed

    @staticmethod
    def _refuse(refusal: Refuse | None) -> None:
        if refusal is not None:
            raise Refused(refusal)


def _asked() -> str | None:
    record = current()
    return record.asked if record else None


def _note_stripped(names: Iterable[str]) -> None:
    record = current()
    if record is not None:
        record.tally.stripped.update(names)


def _nothing_dropped() -> None:
    record = current()
    if record is not None:
        record.dropped = ()
