"""OptiLLM's handles in router.yaml: one for each line of `ensembles.jsonl`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.references import ENV_PREFIX, is_unset
from litellm_homelab.config.wildcards import group_for, is_wildcard
from litellm_homelab.config.wording import did_you_mean, quoted
from litellm_homelab.optillm.topology import base_model
from litellm_homelab.sync import models
from litellm_homelab.sync.patches import Append, Put
from litellm_homelab.sync.plan import HOMELAB, SyncPlan, provider_of
from litellm_homelab.sync.sources import ENSEMBLES

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment
    from litellm_homelab.sync.facts import SyncFacts
    from litellm_homelab.sync.sources import Ensemble

MARK: Final = f"of {ENSEMBLES}"
"""The whole comment behind the name of an entry that was added: a later run removes no other."""
LIMITS: Final = ("max_input_tokens", "max_output_tokens")


def bring_in(facts: SyncFacts, plan: SyncPlan) -> None:
    """Add and change OptiLLM's handles as the ensembles have them."""
    for one in (facts.sources.ensembles or {}).values():
        problem = _problem(facts, one)
        if problem:
            plan.left.append(f"{quoted(one.handle)}: {problem}")
        elif one.handle in facts.router.groups:
            _base(facts, plan, one)
            _approach(facts, plan, one)
        else:
            _add(facts, plan, one)


def remove_gone(facts: SyncFacts, plan: SyncPlan) -> None:
    """Remove the handles that an earlier run added, and whose lines are gone."""
    listed = facts.sources.ensembles
    if listed is None:
        return
    for name in facts.section("optillm"):
        if name in listed or name not in facts.router.groups:
            continue
        if facts.is_marked(name):
            plan.remove(facts, name, f"is not in {ENSEMBLES} any more")
        else:
            plan.notes.append(
                f"kept: {quoted(name)} is not in {ENSEMBLES}{did_you_mean(name, listed)}; it has no comment "
                f"`# {MARK}`, so it is yours to remove"
            )


def _problem(facts: SyncFacts, ensemble: Ensemble) -> str:
    """Why a line cannot be followed, with what to do; empty where it can."""
    handle, groups = ensemble.handle, facts.router.groups
    if handle in facts.router.aliases:
        return f"is a model_group_alias; rename it in {ENSEMBLES}, or remove the alias"
    if handle in groups and not facts.is_optillm(handle):
        return (
            "is a group of model_list that is not an OptiLLM handle, and stays as it is; rename it in "
            f"{ENSEMBLES}, or add it to homelab.optillm if its deployments are OptiLLM"
        )
    if not facts.calls_back(handle):
        return ""
    if facts.is_optillm(ensemble.base) or ensemble.base in (facts.sources.ensembles or {}):
        return f"its base {quoted(ensemble.base)} is an OptiLLM handle; write a model's name as base"
    if _has_base(facts, ensemble):
        return ""
    meant = did_you_mean(ensemble.base, [one for one in groups if not facts.is_optillm(one)])
    return (
        f"its base {quoted(ensemble.base)} is not a model_name of model_list{meant or ';'} add the model, or "
        f"write another base into {ENSEMBLES}, and run this again"
    )


def _has_base(facts: SyncFacts, ensemble: Ensemble) -> bool:
    """Whether OptiLLM will find the base here: a group, or a name below a wildcard group."""
    groups = facts.router.groups
    patterns = [one for one in groups if is_wildcard(one)]
    return ensemble.base in groups or group_for(ensemble.base, patterns) is not None


def _base(facts: SyncFacts, plan: SyncPlan, ensemble: Ensemble) -> None:
    numbers = {one.where: number for number, one in facts.own}
    for one in facts.router.groups[ensemble.handle]:
        if base_model(one.model, one.custom_provider) == ensemble.base:
            continue
        model = f"{provider_of(one)}/{ensemble.base}"
        written = facts.raw(one)["litellm_params"].get("model")
        if is_unset(one.model):
            continue  # the start says so, and what it will be is not known
        if isinstance(written, str) and written.startswith(ENV_PREFIX):
            name = written.removeprefix(ENV_PREFIX)
            plan.left.append(f"{quoted(one.group)}: set {name}={model}: its base is {quoted(ensemble.base)}")
        elif one.where not in numbers:
            plan.left.append(f"{quoted(one.group)} is in {facts.file_of(one)}: write `model: {model}` there")
        else:
            plan.patches.append(Put(("model_list", numbers[one.where], "litellm_params", "model"), model))
            plan.done.append(f"changed: {quoted(one.group)}: base: {one.upstream_model} -> {ensemble.base}")


def _approach(facts: SyncFacts, plan: SyncPlan, ensemble: Ensemble) -> None:
    path, approach = (HOMELAB, "optillm", ensemble.handle), ensemble.approach
    lane = facts.section("optillm", ensemble.handle)
    if not lane:
        settings = _lane(facts, ensemble)
        if plan.in_homelab(facts, Put(path, settings), f"write {_written(settings)}"):
            plan.done.append(f"changed: {quoted(ensemble.handle)}: approach: none -> {approach}")
        return
    if approach not in (lane.get("approaches") or ()):
        plan.in_homelab(facts, Append((*path, "approaches"), approach), f"add {approach}")
    old = lane.get("default") or "none"
    if old == approach:
        return
    variable = _variable(facts, ensemble.handle)
    if variable:
        plan.left.append(f"{quoted(ensemble.handle)}: set {variable}={approach}: it is the default approach")
    elif plan.in_homelab(facts, Put((*path, "default"), approach), f"write {approach}"):
        plan.done.append(f"changed: {quoted(ensemble.handle)}: approach: {old} -> {approach}")


def _variable(facts: SyncFacts, handle: str) -> str:
    """The variable that has a handle's default approach, empty where it is written out."""
    written = facts.router.document[HOMELAB]["optillm"][handle].get("default")
    is_reference = isinstance(written, str) and written.startswith(ENV_PREFIX)
    return written.removeprefix(ENV_PREFIX) if is_reference else ""


def _lane(facts: SyncFacts, ensemble: Ensemble) -> dict[str, Any]:
    """Its approach alone; where OptiLLM's upstream is another server, that holds for this handle too."""
    found: dict[str, Any] = {"approaches": [ensemble.approach], "default": ensemble.approach}
    return found if facts.calls_back(ensemble.handle) else {**found, "carrier": "off"}


def _written(settings: dict[str, Any]) -> str:
    return f"`{{{', '.join(f'{key}: {value}' for key, value in settings.items())}}}`".replace("'", "")


def _add(facts: SyncFacts, plan: SyncPlan, ensemble: Ensemble) -> None:
    """Like the first OptiLLM handle that there is, whose address and key it has."""
    like: Deployment | None = next(
        (one for one in facts.router.deployments if facts.is_optillm(one.group)), None
    )
    theirs = facts.raw(like)["litellm_params"] if like else {}
    server = {"api_base": f"{ENV_PREFIX}OPTILLM_API_BASE", "api_key": f"{ENV_PREFIX}OPTILLM_GATE_KEY"}
    params = {**server, **theirs, "model": f"{provider_of(like)}/{ensemble.base}"}
    params = {"model": params.pop("model"), **params}
    info = {"mode": "chat", **_limits(facts, ensemble.base)}
    new = {"model_name": ensemble.handle, "litellm_params": params, "model_info": info}
    plan.patches.append(Append(("model_list",), new, MARK))
    if ensemble.handle not in facts.section("optillm"):
        settings = _lane(facts, ensemble)
        path = (HOMELAB, "optillm", ensemble.handle)
        plan.in_homelab(facts, Put(path, settings), f"write {_written(settings)}")
    else:
        _approach(facts, plan, ensemble)
    plan.place(facts, "handles", ensemble.handle)
    plan.done.append(f"added: {quoted(ensemble.handle)}: {ensemble.approach} over {quoted(ensemble.base)}")


def _limits(facts: SyncFacts, base: str) -> dict[str, Any]:
    """What its base can read and write; a value of the registry comes before one that is written."""
    first = next(iter(facts.router.groups.get(base, ())), None)
    info = (facts.raw(first).get("model_info") or {}) if first else {}
    written = {name: info[name] for name in LIMITS if name in info}
    model = facts.registry_id_of_group(base) or (base if not first and base in facts.registry else "")
    return {**written, **(models.limits(facts.registry[model]) if model else {})}
