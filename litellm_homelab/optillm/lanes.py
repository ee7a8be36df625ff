"""The OptiLLM handles of the `homelab:` section: what a request may ask of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litellm_homelab import refusals
from litellm_homelab.config.sections import Lane
from litellm_homelab.decision import Refuse
from litellm_homelab.optillm import approaches, costs, dropped, tags, tools
from litellm_homelab.optillm.approaches import Approach, InvalidApproach
from litellm_homelab.optillm.parameters import readable

UNSUPPORTED = {
    "prompt_id": "a stored prompt would be added after this gateway has checked the prompt",
    "web_search_options": "it is a tool that a server runs, and OptiLLM runs no tools",
}
"""Body fields that an OptiLLM handle refuses, and why."""
LIMITS = ("max_tokens", "max_completion_tokens")
"""Fields of every request on which the cost of an approach depends."""
PROMPTS = ("messages", "input", "prompt", "system", "instructions", "contents", "systemInstruction")
"""Fields that hold the prompt, over all routes that lead to OptiLLM."""


@dataclass(frozen=True, slots=True)
class OptillmRun:
    """The request may go to OptiLLM, as far as its prompt allows (`Lanes.prompt`)."""

    approach: Approach
    dropped: tuple[str, ...]
    """What the approach leaves out of the request (`optillm.dropped`)."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """The OptiLLM handles by name, and the rule over what a request asks of one of them."""

    lanes: Mapping[str, Lane]

    def split_prefix(self, name: str) -> tuple[str, str] | None:
        """`moa-boost` as (approach, handle), where that handle takes prefixes."""
        return approaches.split_prefix(name, [one for one, lane in self.lanes.items() if lane.prefixes])

    def decide(
        self,
        handle: str,
        asked: Sequence[object],
        fields: Mapping[str, object],
        *,
        by_name: bool = True,
    ) -> OptillmRun | Refuse:
        """
        Decide on a request to `handle`, once for all of its attempts there: which approach runs.

        `asked` is every approach that the client named, `fields` the body as the client sent it. `by_name` is
        false where a fallback led here: what the handle refuses by field is then left out of what is sent.
        """
        lane = self.lanes[handle]
        approach = self._approach(handle, lane, asked, fields, by_name=by_name)
        if isinstance(approach, Refuse):
            return approach
        gone = dropped.dropped(approach, fields)
        return dropped.refusal(handle, lane, approach, gone) or OptillmRun(approach, gone)

    def prompt(
        self, handle: str, texts: Mapping[str, object], clean: dict[int, str] | None = None
    ) -> Mapping[str, object] | Refuse:
        """
        What may be sent of a prompt: itself, or made inert, or a refusal that says where the tag is.

        `texts` are the fields whose text reaches OptiLLM; without a tag they come back as the very same
        mapping. `clean` has the long texts of this request that were found clean before (`tags.find`).
        """
        place = tags.find(texts, clean)
        if place is None:
            return texts
        if self.lanes[handle].tags == "neutralise":
            return {name: tags.neutralise(value) for name, value in texts.items()}
        return refusals.approach_in_prompt(place, handle)

    @staticmethod
    def _approach(
        handle: str, lane: Lane, asked: Sequence[object], fields: Mapping[str, object], *, by_name: bool
    ) -> Approach | Refuse:
        unsupported = _unsupported(handle, fields) if by_name else None
        if unsupported is not None:
            return unsupported
        decided = approaches.decide(asked, lane.approaches, lane.default)
        if isinstance(decided, InvalidApproach):
            return refusals.approach(handle, decided.reason)
        return _fan_out(handle, lane, decided, fields) or decided


def _fan_out(handle: str, lane: Lane, approach: Approach, fields: Mapping[str, object]) -> Refuse | None:
    """Refuse what would make more calls than the handle may, before any is made."""
    n = fields.get("n")
    choices = min(n, lane.max_n) if isinstance(n, int) and not isinstance(n, bool) else 1
    # What is not sent costs nothing.
    sent = {name: fields[name] for name in (*readable(approach.parts), *LIMITS) if name in fields}
    calls = costs.estimate(approach, max(choices, 1), sent, prompt_chars=_prompt_chars(approach, fields))
    if calls <= lane.max_calls:
        return None
    return refusals.fan_out_estimated(handle, approach.text, calls, lane.max_calls)


def _prompt_chars(approach: Approach, fields: Mapping[str, object]) -> int:
    """Characters of the prompt where the cost depends on them: `memory` makes a call for each 100,000."""
    if "memory" not in approach.parts:
        return 0
    return sum(len(str(fields.get(name) or "")) for name in PROMPTS)


def _unsupported(handle: str, fields: Mapping[str, object]) -> Refuse | None:
    """Refuse body fields that would change the prompt or run tools behind this rule's back."""
    for name, why in UNSUPPORTED.items():
        if fields.get(name) is not None:
            return refusals.field_on_optillm(handle, name, why)
    server = tools.run_by_a_server(fields.get("tools"))
    return refusals.tool_of_a_server(handle, server) if server is not None else None
