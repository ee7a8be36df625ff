"""The registry's models in router.yaml: their limits, models that are new, and models that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.wording import quoted, shown
from litellm_homelab.showroom.handles import naming_problem
from litellm_homelab.showroom.registry import inside
from litellm_homelab.sync.patches import Append, Put
from litellm_homelab.sync.plan import SyncFacts, SyncPlan, provider_of, variable

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment
    from litellm_homelab.showroom.registry import RegistryEntry

OF_EACH: Final = ("model", "api_base", "api_key")
"""Parameters of a deployment that are its own; the others are what its server needs."""


def decide(facts: SyncFacts, plan: SyncPlan) -> None:
    """Bring the deployments in line with the registry."""
    if facts.registry is None:
        return
    of = {number: registry_id(one, facts) for number, one in facts.own}
    for number, one in facts.own:
        if of[number]:
            _limits(facts, plan, number, one.group, facts.registry[of[number]])
    _included(facts, plan)
    served = {registry_id(one, facts) for one in facts.router.deployments}
    alike = [number for number, model in of.items() if model]
    for model, entry in facts.registry.items():
        if model not in served:
            _add(facts, plan, model, entry, alike)
    _gone(facts, plan)


def limits(entry: RegistryEntry) -> dict[str, int]:
    """What the registry says of a model, in LiteLLM's names."""
    found = {"max_input_tokens": entry.context_length, "max_output_tokens": entry.max_output_tokens}
    return {name: value for name, value in found.items() if value and value > 0}


def registry_id(one: Deployment, facts: SyncFacts) -> str:
    """The registry's id of a deployment's model; the group's name where a variable has the model."""
    registry = facts.registry or {}
    if one.upstream_model in registry:
        return one.upstream_model
    unset = one.model.startswith(ENV_PREFIX)
    return one.group if unset and one.group in registry else ""


def _limits(facts: SyncFacts, plan: SyncPlan, number: int, group: str, entry: RegistryEntry) -> None:
    info = facts.raw(number).get("model_info")
    present = info if isinstance(info, dict) else {}
    for name, value in limits(entry).items():
        old = present.get(name)
        if isinstance(old, str) and old.startswith(ENV_PREFIX):
            plan.notes.append(f"kept: {quoted(group)}: {name} is {old}; the registry has {value}")
        elif old != value:
            plan.patches.append(Put(("model_list", number, "model_info", name), value))
            was = shown(old) if old is not None else "not set"
            plan.notes.append(f"changed: {quoted(group)}: {name}: {was} -> {value}")


def _included(facts: SyncFacts, plan: SyncPlan) -> None:
    """Included files are not changed: what would be is said."""
    here = {one.where for _, one in facts.own}
    entries = facts.router.document.get("model_list")
    for one in facts.router.deployments:
        model = registry_id(one, facts)
        if one.where in here or not model or facts.registry is None:
            continue
        number = int(one.where[11:-1])
        entry = entries[number] if isinstance(entries, list) and number < len(entries) else {}
        info: Any = entry.get("model_info") or {}
        wanted = limits(facts.registry[model])
        missing = [f"{name}: {value}" for name, value in wanted.items() if info.get(name) != value]
        if missing:
            plan.left.append(f"{quoted(one.group)} is in an included file: write {', '.join(missing)} there")


def _add(facts: SyncFacts, plan: SyncPlan, model: str, entry: RegistryEntry, alike: list[int]) -> None:
    problem = naming_problem(model) or _elsewhere(facts, model, entry)
    if problem:
        plan.notes.append(f"left out: {problem}")
        return
    params = _params(facts, model, entry, alike)
    new = {"model_name": model, "litellm_params": params, "model_info": {"mode": "chat", **limits(entry)}}
    plan.patches.append(Append(("model_list",), new))
    plan.place(facts, "hidden", model)
    plan.notes.append(f"added: {quoted(model)}, hidden: clients may call it, no list has it")
    plan.notes += [
        f"set {value.removeprefix(ENV_PREFIX)} where LiteLLM starts"
        for name, value in params.items()
        if name in OF_EACH and value == variable(model, name.upper())
    ]


def _elsewhere(facts: SyncFacts, model: str, entry: RegistryEntry) -> str:
    """A model outside of the showroom's folders would stop the start."""
    roots = facts.section("homelab", "showroom").get("roots") or ()
    if model in facts.router.groups:
        return f"{quoted(model)}: a group of this name runs another model"
    if roots and entry.path and not inside(entry.path, roots, facts.folder):
        return f"{quoted(model)}: its files are outside of homelab.showroom.roots"
    return ""


def _params(facts: SyncFacts, model: str, entry: RegistryEntry, alike: list[int]) -> dict[str, Any]:
    """As its neighbours have them; an address or a key that they do not share gets a variable."""
    own = dict(facts.own)
    theirs = [facts.raw(number)["litellm_params"] for number in alike]
    provider = provider_of(own[alike[0]] if alike else None)
    shared = {name: _shared(theirs, name) for name in ("api_base", "api_key")}
    base = entry.api_base or shared["api_base"] or variable(model, "API_BASE")
    key = shared["api_key"] or ("none" if entry.api_base else variable(model, "API_KEY"))
    rest = {name: value for name, value in (theirs[0] if theirs else {}).items() if name not in OF_EACH}
    return {"model": f"{provider}/{model}", "api_base": base, "api_key": key, **rest}


def _shared(theirs: list[dict[str, Any]], name: str) -> str:
    """The value that all have; references to a variable of each model's own differ."""
    found = {str(one.get(name) or "") for one in theirs}
    return found.pop() if len(theirs) > 1 and len(found) == 1 else ""


def _gone(facts: SyncFacts, plan: SyncPlan) -> None:
    served = {one.group for one in facts.router.deployments if registry_id(one, facts)}
    for name in _canonical(facts):
        if name not in (facts.registry or {}) and name not in served:
            plan.remove(facts, name, "is not in the registry any more")
    for one in facts.router.deployments:
        model = one.upstream_model
        if _is_id(model) and model not in (facts.registry or {}) and not _is_id(one.group):
            plan.notes.append(f"{quoted(one.group)} runs {quoted(model)}, which is not in the registry")


def _canonical(facts: SyncFacts) -> Iterator[str]:
    """Groups that are called by a model's canonical id: those that the registry is the source of."""
    yield from dict.fromkeys(one.group for _, one in facts.own if _is_id(one.group))


def _is_id(name: str) -> bool:
    return name.startswith("mlx-") and "/" not in name and naming_problem(name) is None
