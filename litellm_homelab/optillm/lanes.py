"""The OptiLLM handles of the `homelab:` section: what a request may ask of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litellm_homelab import refusals
from litellm_homelab.config.sections import Lane
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import approaches, costs, tags, tools
from litellm_homelab.optillm.approaches import Approach, InvalidApproach
from litellm_homelab.optillm.parameters import readable

UNSUPPORTED = {
    "prompt_id": "a stored prompt would be added after this gateway has checked the prompt",
    "web_search_options": "it is a tool that a server runs, and OptiLLM runs no tools",
}
"""Body fields that an OptiLLM handle refuses, and why."""
LIMITS = ("max_tokens", "max_completion_tokens")
"""Fields of every request on which the cost of an approach depends."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """The OptiLLM handles by name, and the rule over what a request asks of one of them."""

    lanes: Mapping[str, Lane]

    def split_prefix(self, name: str) -> tuple[str, str] | None:
        """`moa-boost` as (approach, handle), where that handle takes prefixes."""
        return approaches.split_prefix(name, [one for one, lane in self.lanes.items() if lane.prefixes])

    def approach(self, handle: str, asked: Sequence[object]) -> Approach | Refuse:
        """The approach that `handle` runs for what the client asked."""
        lane = self.lanes[handle]
        decided = approaches.decide(asked, lane.approaches, lane.default)
        if isinstance(decided, InvalidApproach):
            return refusals.approach(handle, decided.reason)
        return decided

    def fan_out(
        self, handle: str, approach: Approach, n: object, fields: Mapping[str, object], prompt_chars: int
    ) -> Refuse | None:
        """Refuse what would make more calls than the handle may, before any is made."""
        lane = self.lanes[handle]
        choices = min(n, lane.max_n) if isinstance(n, int) and not isinstance(n, bool) else 1
        # What is not sent costs nothing.
        sent = {name: fields[name] for name in (*readable(approach.parts), *LIMITS) if name in fields}
        calls = costs.estimate(approach, max(choices, 1), sent, prompt_chars=prompt_chars)
        if calls <= lane.max_calls:
            return None
        return refusals.fan_out_estimated(handle, approach.text, calls, lane.max_calls)

    def unsupported(self, handle: str, fields: Mapping[str, object]) -> Refuse | None:
        """Refuse body fields that would change the prompt or run tools behind this rule's back."""
        for name, why in UNSUPPORTED.items():
            if fields.get(name) is not None:
                return refusals.field_on_optillm(handle, name, why)
        server = tools.run_by_a_server(fields.get("tools"))
        return refusals.tool_of_a_server(handle, server) if server is not None else None

    def prompt(
        self, handle: str, texts: Mapping[str, object], clean: dict[int, str] | None = None
    ) -> Mapping[str, object] | Refuse:
        """
        What may be sent of a prompt: itself, or made inert, or a refusal that says where the tag is.

        `clean` has the long texts of this request that were found clean before (`tags.find`).
        """
        place = tags.find(texts, clean)
        if place is None:
            return texts
        if self.lanes[handle].tags == "neutralise":
            return {name: tags.neutralise(value) for name, value in texts.items()}
        return refusals.approach_in_prompt(place, handle)
