"""What is wrong with `homelab.optillm`, with `homelab.state`, and with what they need elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from litellm_homelab.config.entry_points import GATE
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.state_url import parse as parse_state
from litellm_homelab.config.wording import did_you_mean, quoted
from litellm_homelab.optillm import approaches, catalogue, topology
from litellm_homelab.optillm.addresses import own_addresses

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import RouterFile
    from litellm_homelab.config.sections import Lane
    from litellm_homelab.config.settings import Known, Settings


def problems(settings: Settings, environ: Mapping[str, str], known: Known) -> Iterator[str]:
    """What is wrong with `homelab.optillm`, `state` and what they need elsewhere, in words."""
    yield from _state_problems(settings, environ)
    yield from _cycle_problems(settings, known)
    lanes = settings.homelab.optillm
    if not lanes:
        return
    for name, lane in lanes.items():
        yield from _lane_problems(f"homelab.optillm.{name}", name, lane, settings)
    if any(lane.carrier == "model" for lane in lanes.values()):
        yield from _carrier_problems(settings)


def _state_problems(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    try:
        location = parse_state(settings.homelab.state, settings.folder)
    except ValueError as error:
        yield f"homelab.state: {error}"
        return
    workers = environ.get("NUM_WORKERS", "1")
    if location.kind == "memory" and workers.isdecimal() and int(workers) > 1:
        yield (
            f"homelab.state: memory:// is separate in each worker, but LiteLLM runs {workers} workers; "
            "use sqlite:///homelab.db, or one worker"
        )


def _lane_problems(where: str, name: str, lane: Lane, settings: Settings) -> Iterator[str]:
    if not _is_handle(name, settings):
        among = ", ".join(settings.handles)
        known = (*settings.handles, *settings.homelab.showroom.hidden)
        right = did_you_mean(name, known)
        yield f"{where}: {quoted(name)} is neither a handle nor hidden (handles: {among}){right}"
    for number, approach in enumerate(lane.approaches):
        problem = catalogue.unknown(approach)
        if problem:
            yield f"{where}.approaches[{number}]: {problem}"
    if lane.default not in lane.approaches:
        among = ", ".join(lane.approaches)
        yield f"{where}.default: {quoted(lane.default)} is not among the approaches; set it to one of {among}"
    yield from _deployment_problems(where, name, settings.router)


def _is_handle(name: str, settings: Settings) -> bool:
    return name in settings.handles or name in settings.homelab.showroom.hidden


def _deployment_problems(where: str, name: str, router: RouterFile) -> Iterator[str]:
    """Deployment settings that would have a say in the approach, which is the handle's and the client's."""
    for setting in (setting for group, setting in router.approach_settings if group == name):
        if setting == "additional_drop_params":
            yield (
                f"model_list: {quoted(name)}: litellm_params.{setting} would drop every approach on its way "
                "to OptiLLM; remove optillm_approach from it"
            )
        else:
            yield (
                f"model_list: {quoted(name)}: litellm_params.{setting} is not used: the approach is this "
                f"handle's {where}.default, or what the client asks for; remove it"
            )
    for deployment in router.groups.get(name, ()):
        if approaches.eaten_by_optillm(deployment.upstream_model):
            yield (
                f"model_list: {quoted(name)}: litellm_params.model {quoted(deployment.model)} starts with an "
                "approach, which OptiLLM takes off the name; write the model alone"
            )


def _carrier_problems(settings: Settings) -> Iterator[str]:
    if not settings.secret:
        yield "homelab.secret: missing, and without a master key it cannot be derived; set one of the two"
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
                f"homelab.showroom: {quoted(name)} starts with an approach, which OptiLLM would take off the "
                "name when it calls back; choose another name"
            )


def graph(settings: Settings, known: Known) -> topology.Graph:
    """All that decides where a request can go, as the settings say it."""
    router = settings.router
    fallbacks: dict[str, list[str]] = {}
    for _, source, targets in (*router.fallbacks, *router.leads):
        fallbacks.setdefault(source, []).extend(targets)
    lanes = settings.homelab.optillm.items()
    return topology.Graph(
        groups={
            group: [
                topology.RoutingEntry(one.model, _written(one.api_base), one.custom_provider)
                for one in deployments
            ]
            for group, deployments in router.groups.items()
        },
        optillm=frozenset(
            name for name, lane in lanes if lane.carrier == "model" and _is_handle(name, settings)
        ),
        own=own_addresses(known.port, known.hostnames),
        fallbacks=fallbacks,
        aliases=router.aliases,
    )


def _written(api_base: str) -> str | None:
    """An address; None for none, and for a variable that is not set: two of them are not one place."""
    return None if not api_base or is_unset(api_base) else api_base


def _cycle_problems(settings: Settings, known: Known) -> Iterator[str]:
    cycle = topology.find_cycle(graph(settings, known))
    if cycle and topology.OPTILLM in cycle:
        yield (
            f"homelab.optillm: a request would loop forever: {topology.written(cycle)}; "
            "let OptiLLM call back a group whose deployments are models (OPTILLM_MODEL in the env file)"
        )
    elif cycle:
        yield (
            f"model_list: a request would loop forever: {topology.written(cycle)}; "
            "an api_base leads back to this gateway: put the model server's address there"
        )
