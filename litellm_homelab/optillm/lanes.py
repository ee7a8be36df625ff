"""The OptiLLM handles of the `homelab:` section: what a request may ask of each, and what its checks are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from litellm_homelab.callers import GATE
from litellm_homelab.decision import RefusalType, Refuse
from litellm_homelab.optillm import approaches, catalogue, costs, tags, topology
from litellm_homelab.optillm.addresses import own_addresses
from litellm_homelab.optillm.approaches import Approach, Problem
from litellm_homelab.sections import Lane
from litellm_homelab.state import parse as parse_state

if TYPE_CHECKING:
    from litellm_homelab.routerfile import RouterFile
    from litellm_homelab.settings import Known, Settings

CALLBACKS = ("approach", "loop_guard")
"""Entry points that must be loaded where there is an OptiLLM handle."""
UNSUPPORTED = {
    "prompt_id": "a stored prompt would be put in after the prompt was looked at",
    "web_search_options": "a server-side tool, which OptiLLM has not",
}
"""Body fields that an OptiLLM handle refuses, and why."""
FUNCTION_TOOLS = frozenset({"function", "custom"})
"""Types of tools that the client runs; any other is run by a server."""


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
        if isinstance(decided, Problem):
            return Refuse(
                RefusalType.APPROACH_NOT_ALLOWED, f"{handle}: {decided.reason}.", param="optillm_approach"
            )
        return decided

    def fan_out(
        self, handle: str, approach: Approach, n: object, fields: Mapping[str, object], prompt_chars: int
    ) -> Refuse | None:
        """Refuse what would make more calls than the handle may, before any is made."""
        lane = self.lanes[handle]
        choices = min(n, lane.max_n) if isinstance(n, int) and not isinstance(n, bool) else 1
        calls = costs.estimate(approach, max(choices, 1), fields, prompt_chars=prompt_chars)
        if calls <= lane.max_calls:
            return None
        return Refuse(
            RefusalType.FANOUT_EXCEEDED,
            f"{handle}: {approach.text} may make {calls} calls for one request; {lane.max_calls} are "
            "allowed. Ask for a cheaper approach or a smaller n.",
            param="optillm_approach",
        )

    def unsupported(self, handle: str, fields: Mapping[str, object]) -> Refuse | None:
        """Refuse body fields that would change the prompt or run tools behind this rule's back."""
        for name, why in UNSUPPORTED.items():
            if fields.get(name) is not None:
                return Refuse(RefusalType.PARAM_NOT_ALLOWED, f"{handle}: {name} is not allowed: {why}.", name)
        tools = fields.get("tools")
        for tool in tools if isinstance(tools, list) else ():
            kind = tool.get("type", "function") if isinstance(tool, dict) else "function"
            if kind not in FUNCTION_TOOLS and not (isinstance(tool, dict) and "input_schema" in tool):
                return Refuse(
                    RefusalType.PARAM_NOT_ALLOWED,
                    f"{handle}: tools of type {str(kind)[:60]!r} run on a server, which OptiLLM has not; "
                    "use function tools.",
                    "tools",
                )
        return None

    def prompt(self, handle: str, texts: Mapping[str, object]) -> Mapping[str, object] | Refuse:
        """What may be sent of a prompt: itself, or made inert, or a refusal that says where the tag is."""
        place = tags.find(texts)
        if place is None:
            return texts
        if self.lanes[handle].tags == "neutralise":
            return {name: tags.neutralise(value) for name, value in texts.items()}
        return Refuse(
            RefusalType.APPROACH_IN_PROMPT,
            f"{handle}: {place} holds an <optillm_approach> tag, which would choose the approach from within "
            "the prompt. Use the field optillm_approach, and take the tag out of the text.",
            param=place.split("[", 1)[0].split(".", 1)[0],
        )


# --- settings --------------------------------------------------------------------------------------


def problems(settings: Settings, environ: Mapping[str, str], known: Known) -> Iterator[str]:
    """What is wrong with `homelab.optillm`, `state` and what they need elsewhere, in words."""
    yield from _state_problems(settings, environ)
    lanes = settings.homelab.optillm
    if not lanes:
        return
    for name, lane in lanes.items():
        yield from _lane_problems(f"homelab.optillm.{name}", name, lane, settings)
    for callback in CALLBACKS:
        if f"litellm_homelab.hooks.{callback}" not in settings.router.callbacks:
            yield (
                f"litellm_settings.callbacks: litellm_homelab.hooks.{callback} is missing, so that "
                "homelab.optillm would not hold; add it to the list"
            )
    if any(lane.carrier == "model" for lane in lanes.values()):
        yield from _carrier_problems(settings)
    yield from _cycle_problems(settings, known)


def _state_problems(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    try:
        location = parse_state(settings.homelab.state, settings.folder)
    except ValueError as error:
        yield f"homelab.state: {error}"
        return
    workers = environ.get("NUM_WORKERS", "1")
    if location.kind == "memory" and workers.isdigit() and int(workers) > 1:
        yield (
            f"homelab.state: memory:// is each worker's own, but LiteLLM runs {workers} workers; "
            "use sqlite:///homelab.db, or one worker"
        )


def _lane_problems(where: str, name: str, lane: Lane, settings: Settings) -> Iterator[str]:
    if name not in settings.handles and name not in settings.homelab.showroom.hidden:
        yield f"{where}: {name!r} is neither a handle nor hidden (handles: {', '.join(settings.handles)})"
    for number, approach in enumerate(lane.approaches):
        problem = catalogue.unknown(approach)
        if problem:
            yield f"{where}.approaches[{number}]: {problem}"
    if lane.default not in lane.approaches:
        yield f"{where}.default: {lane.default!r} is not among the approaches ({', '.join(lane.approaches)})"
    yield from _deployment_problems(where, name, settings.router)


def _deployment_problems(where: str, name: str, router: RouterFile) -> Iterator[str]:
    """Deployment settings that would have a say in the approach, which is the handle's and the client's."""
    for setting in (setting for group, setting in router.approach_settings if group == name):
        if setting == "additional_drop_params":
            yield (
                f"model_list: {name!r}: litellm_params.{setting} would drop every approach on its way to "
                "OptiLLM; take optillm_approach out of it"
            )
        else:
            yield (
                f"model_list: {name!r}: litellm_params.{setting} is not used: this handle's approach is its "
                f"{where}.default, or what the client asks; take it out"
            )
    for deployment in router.groups.get(name, ()):
        if approaches.eaten_by_optillm(deployment.upstream_model):
            yield (
                f"model_list: {name!r}: litellm_params.model {deployment.model!r} starts with an approach, "
                "which OptiLLM takes off the name; write the model alone"
            )


def _carrier_problems(settings: Settings) -> Iterator[str]:
    if not settings.secret:
        yield "homelab.secret: missing, and there is no master key to derive it from"
    if not any(caller.role == "optillm" for caller in settings.homelab.callers.values()):
        yield (
            "homelab.callers: OptiLLM calls this gateway back, so it needs a key of its own: add "
            "`optillm: {key: os.environ/OPTILLM_UPSTREAM_KEY, role: optillm}` "
            f"and `custom_auth: {GATE}`, or set carrier: off where its upstream is not this gateway"
        )
    showroom = settings.homelab.showroom
    for name in (*settings.handles, *showroom.hidden, *showroom.internal):
        if approaches.eaten_by_optillm(name):
            yield (
                f"homelab.showroom: {name!r} starts with an approach, which OptiLLM would take off the name "
                "when it calls back; choose another name"
            )


def _cycle_problems(settings: Settings, known: Known) -> Iterator[str]:
    router = settings.router
    fallbacks: dict[str, list[str]] = {}
    for _, source, targets in router.fallbacks:
        fallbacks.setdefault(source, []).extend(targets)
    graph = topology.Graph(
        groups={
            group: [topology.Deployment(one.model, one.api_base or None) for one in deployments]
            for group, deployments in router.groups.items()
        },
        optillm=frozenset(name for name, lane in settings.homelab.optillm.items() if lane.carrier == "model"),
        own=own_addresses(known.port, known.hostnames),
        fallbacks=fallbacks,
        aliases=router.aliases,
    )
    cycle = topology.find_cycle(graph)
    if cycle:
        yield (
            f"homelab.optillm: a request would go round for ever: {topology.written(cycle)}; "
            "let OptiLLM call back a group whose deployments are models (OPTILLM_MODEL in the env file)"
        )
