"""The registry's models in router.yaml: their limits, models that are new, and models that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.references import ENV_PREFIX, is_unset
from litellm_homelab.config.wording import quoted, shown
from litellm_homelab.showroom.handles import naming_problem
from litellm_homelab.showroom.registry import inside
from litellm_homelab.sync.patches import Append, Put
from litellm_homelab.sync.plan import SyncPlan, provider_of, variable
from litellm_homelab.sync.servers import server

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment
    from litellm_homelab.showroom.registry import RegistryEntry
    from litellm_homelab.sync.facts import SyncFacts

OF_EACH: Final = ("model", "api_base", "base_url", "api_key")
"""Parameters of a deployment that are its own; the others are what its server needs."""


def add(facts: SyncFacts, plan: SyncPlan) -> None:
    """Add the registry's models that no deployment runs; an OptiLLM handle over a model does not run it."""
    running = [one for one in facts.router.deployments if not facts.is_optillm(one.group)]
    served = {facts.registry_id(one) for one in running}
    alike = [one for one in running if facts.registry_id(one)]
    for model, entry in facts.registry.items():
        if model not in served:
            _add(facts, plan, model, entry, alike)


def set_limits(facts: SyncFacts, plan: SyncPlan) -> None:
    """Give each deployment the token limits that the registry has; of an included file they are named."""
    numbers = {one.where: number for number, one in facts.own}
    for one in facts.router.deployments:
        model = facts.registry_id(one)
        if not model:
            continue
        if one.where in numbers:
            _limits(facts, plan, numbers[one.where], one, facts.registry[model])
        else:
            _included(facts, plan, one, facts.registry[model])


def remove_gone(facts: SyncFacts, plan: SyncPlan) -> None:
    """Remove groups that are called by a canonical id which the registry no longer has."""
    if facts.sources.registry is None:
        return
    running = [one for one in facts.router.deployments if not facts.is_optillm(one.group)]
    served = {one.group for one in running if facts.registry_id(one)}
    for name in dict.fromkeys(one.group for one in running if _is_id(one.group)):
        if name not in facts.registry and name not in served:
            plan.remove(facts, name, "is not in the registry any more")
    for one in running:
        model = one.upstream_model
        if _is_id(model) and model not in facts.registry and not _is_id(one.group):
            plan.notes.append(f"{quoted(one.group)} runs {quoted(model)}, which is not in the registry")


def limits(entry: RegistryEntry) -> dict[str, int]:
    """What the registry says of a model, in LiteLLM's names."""
    found = {"max_input_tokens": entry.context_length, "max_output_tokens": entry.max_output_tokens}
    return {name: value for name, value in found.items() if value and value > 0}


def _limits(facts: SyncFacts, plan: SyncPlan, number: int, one: Deployment, entry: RegistryEntry) -> None:
    present = facts.raw(one).get("model_info") or {}
    for name, value in limits(entry).items():
        old = present.get(name)
        if isinstance(old, str) and old.startswith(ENV_PREFIX):
            plan.notes.append(f"kept: {quoted(one.group)}: {name} is {old}; the registry has {value}")
        elif old != value:
            plan.patches.append(Put(("model_list", number, "model_info", name), value))
            was = shown(old) if old is not None else "not set"
            plan.done.append(f"changed: {quoted(one.group)}: {name}: {was} -> {value}")


def _included(facts: SyncFacts, plan: SyncPlan, one: Deployment, entry: RegistryEntry) -> None:
    """Included files are not changed: what would be is said."""
    info = facts.raw(one).get("model_info") or {}
    missing = [
        f"{name}: {value}"
        for name, value in limits(entry).items()
        if info.get(name) != value and not str(info.get(name)).startswith(ENV_PREFIX)
    ]
    if missing:
        file = facts.file_of(one)
        plan.left.append(f"{quoted(one.group)} is in {file}: write {', '.join(missing)} below its model_info")


def _add(facts: SyncFacts, plan: SyncPlan, model: str, entry: RegistryEntry, alike: list[Deployment]) -> None:
    problem = naming_problem(model) or _elsewhere(facts, model, entry)
    if problem:
        plan.notes.append(f"left out: {problem}")
        return
    params = _params(facts, model, entry, alike)
    new = {"model_name": model, "litellm_params": params, "model_info": {"mode": "chat", **limits(entry)}}
    plan.patches.append(Append(("model_list",), new))
    plan.place(facts, "hidden", model)
    plan.done.append(f"added: {quoted(model)}, hidden: clients may call it, no list has it")
    plan.done += [
        f"set {value.removeprefix(ENV_PREFIX)} where LiteLLM starts"
        for name, value in params.items()
        if name in OF_EACH and value == variable(model, name.upper())
    ]


def _elsewhere(facts: SyncFacts, model: str, entry: RegistryEntry) -> str:
    """A model outside of the showroom's folders would stop the start."""
    roots = facts.section("showroom").get("roots") or ()
    if model in facts.router.groups:
        return f"{quoted(model)}: a group of this name runs another model"
    if model in facts.router.aliases:
        return f"{quoted(model)}: a model_group_alias has this name"
    known = roots and not any(map(is_unset, roots))
    if known and entry.path and not inside(entry.path, roots, facts.folder):
        return f"{quoted(model)}: its files are outside of homelab.showroom.roots"
    return ""


def _params(facts: SyncFacts, model: str, entry: RegistryEntry, alike: list[Deployment]) -> dict[str, Any]:
    """As its neighbours have them; an address or a key that they do not share gets a variable."""
    theirs = [facts.raw(one)["litellm_params"] for one in alike]
    provider = provider_of(alike[0] if alike else None)
    base = entry.api_base or _shared_base(theirs) or variable(model, "API_BASE")
    key = _shared_key(theirs) or ("none" if entry.api_base else variable(model, "API_KEY"))
    rest = {name: value for name, value in (theirs[0] if theirs else {}).items() if name not in OF_EACH}
    return {"model": f"{provider}/{model}", "api_base": base, "api_key": key, **rest}


def _shared_base(theirs: list[dict[str, Any]]) -> str:
    """The address that all have, as the first writes it; variables of each model's own differ."""
    found = [str(one.get("api_base") or one.get("base_url") or "") for one in theirs]
    return found[0] if len(found) > 1 and len({*map(server, found)}) == 1 else ""


def _shared_key(theirs: list[dict[str, Any]]) -> str:
    found = {str(one.get("api_key") or "") for one in theirs}
    return found.pop() if len(theirs) > 1 and len(found) == 1 else ""


def _is_id(name: str) -> bool:
    return name.startswith("mlx-") and "/" not in name and naming_problem(name) is None
