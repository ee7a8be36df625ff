"""
The prompt-tag rule as a guardrail of LiteLLM: listed, traced, and attachable per key or model.

    guardrails:
      - guardrail_name: prompt-tags
        litellm_params:
          guardrail: litellm_homelab.guardrails.PromptTags
          mode: pre_call
          tags: refuse        # or neutralise

The OptiLLM handles of `homelab.optillm` have the rule without it, as a callback that no key can switch off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litellm.integrations.custom_guardrail import CustomGuardrail, log_guardrail_information
from litellm.proxy.common_utils.callback_utils import add_guardrail_to_applied_guardrails_header
from litellm.types.guardrails import GuardrailEventHooks

from litellm_homelab import refusals
from litellm_homelab.adapter.fail_closed import closed
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.adapter.policies.approach import PROMPT_FIELDS
from litellm_homelab.optillm import tags as rule

MODE: Final = GuardrailEventHooks.pre_call
TAGS: Final = ("refuse", "neutralise")
"""What may become of a tag; the words of `homelab.optillm.<name>.tags`."""


LOOKED_AT: Final = PROMPT_FIELDS | {"extra_body", "documents", "chat_template_kwargs", "prediction"}
"""Fields whose text may reach a model; LiteLLM merges `extra_body` over the request."""


class GuardrailError(Exception):
    """
    A guardrail of router.yaml that must not be started with.

    No ValueError and no TypeError: LiteLLM starts without a guardrail that raises one of them, and does not
    start with any other (measured on 1.106.2).
    """


class PromptTags(CustomGuardrail):  # type: ignore[misc]  # LiteLLM's class is untyped here
    """Refuses, or makes inert, `<optillm_approach>` tags in a prompt, wherever it is to go."""

    def __init__(
        self,
        guardrail_name: str | None = None,
        event_hook: Any = None,  # noqa: ANN401 - whatever stands at `mode`
        tags: object = "refuse",
        **others: Any,  # noqa: ANN401 - LiteLLM passes some 38 options of other guardrails
    ) -> None:
        where = f"guardrails: {guardrail_name}: litellm_params"
        modes = event_hook if isinstance(event_hook, list) else [event_hook]
        if modes != [MODE.value]:
            raise GuardrailError(
                f"{where}.mode: expected {MODE.value}, got {event_hook!r}; LiteLLM would never run it"
            )
        if tags not in TAGS:
            raise GuardrailError(f"{where}.tags: expected {' or '.join(TAGS)}, got {tags!r}")
        self._neutralise = tags == "neutralise"
        super().__init__(
            guardrail_name=guardrail_name, event_hook=event_hook, supported_event_hooks=[MODE], **others
        )

    @log_guardrail_information  # type: ignore[untyped-decorator]
    @closed("prompt_tags")
    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        cache: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
        data: dict[str, Any],
        call_type: Any,  # noqa: ANN401, ARG002 - LiteLLM's signature
    ) -> dict[str, Any]:
        """Look at every field whose text may reach a model; LiteLLM asks this of a deployment's, too."""
        add_guardrail_to_applied_guardrails_header(data, self.guardrail_name)
        texts = {name: data[name] for name in LOOKED_AT if data.get(name) is not None}
        place = rule.find(texts)
        if place is None:
            return data
        if not self._neutralise:
            raise self._refused(place)
        return {**data, **self._inert(texts)}

    @staticmethod
    def _inert(texts: Mapping[str, object]) -> dict[str, object]:
        return {name: rule.neutralise(value) for name, value in texts.items()}

    def _refused(self, place: str) -> Refused:
        refusal = Refused(refusals.approach_in_prompt(place))
        refusal.guardrail_name = str(self.guardrail_name)
        return refusal
