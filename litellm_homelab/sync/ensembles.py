"""OptiLLM's handles in router.yaml: one for each line of `ensembles.jsonl`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.wildcards import group_for, is_wildcard
from litellm_homelab.config.wording import quoted
from litellm_homelab.sync import models
from litellm_homelab.sync.patches import Append, Put
from litellm_homelab.sync.plan import SyncFacts, SyncPlan, provider_of
from litellm_homelab.sync.sources import ENSEMBLES

if TYPE_CHECKING:
    from litellm_homelab.sync.sources import Ensemble

MARK: Final = f"of {ENSEMBLES}"
"""The comment behind the name of an entry that was added: a later run removes no other."""
LIMITS: Final = ("max_input_tokens", "max_output_tokens")


def decide(facts: SyncFacts, plan: SyncPlan) -> None:
    """Bring OptiLLM's handles in line with the ensembles."""
    if facts.ensembles is None:
        return
    for one in facts.ensembles.values():
        if not _has_base(facts, one):
            plan.left.append(
                f"{quoted(one.handle)}: its base {quoted(one.base)} is not a model_name of model_list; add "
                "it and run this again"
            )
        elif one.handle in facts.router.groups:
            _base(facts, plan, one)
            _approach(facts, plan, one)
        else:
            _add(facts, plan, one)
    present = {one.group for _, one in facts.own}
    for name in facts.section("homelab", "optillm"):
        if name in facts.ensembles:
            continue
        if name in facts.marked and name in present:
            plan.remove(facts, name, f"is not in {ENSEMBLES} any more")
        else:
            plan.notes.append(f"kept: {quoted(name)} is not in {ENSEMBLES}; remove it by hand if it is gone")


def _has_base(facts: SyncFacts, ensemble: Ensemble) -> bool:
    """Whether OptiLLM will find the base: here, or on a server of its own (`carrier: off`)."""
    groups = facts.router.groups
    lanes = facts.section("homelab", "optillm")
    lane: object = lanes.get(ensemble.handle) or next(iter(lanes.values()), {})
    elsewhere = isinstance(lane, dict) and lane.get("carrier") in ("off", False)
    patterns = [one for one in groups if is_wildcard(one)]
    return elsewhere or ensemble.base in groups or group_for(ensemble.base, patterns) is not None


def _base(facts: SyncFacts, plan: SyncPlan, ensemble: Ensemble) -> None:
    for number, one in facts.own:
        if one.group != ensemble.handle or one.upstream_model == ensemble.base:
            continue
        written = facts.raw(number)["litellm_params"].get("model")
        model = f"{provider_of(one)}/{ensemble.base}"
        if isinstance(written, str) and written.startswith(ENV_PREFIX):
            is_unset = one.model.startswith(ENV_PREFIX)
            if is_unset:
                continue
            name = written.removeprefix(ENV_PREFIX)
            plan.left.append(f"{quoted(one.group)}: set {name}={model}: its base is {quoted(ensemble.base)}")
            continue
        plan.patches.append(Put(("model_list", number, "litellm_params", "model"), model))
        plan.notes.append(f"changed: {quoted(one.group)}: base: {one.upstream_model} -> {ensemble.base}")


def _approach(facts: SyncFacts, plan: SyncPlan, ensemble: Ensemble) -> None:
    path = ("homelab", "optillm", ensemble.handle)
    lane = facts.section(*path)
    if not lane:
        plan.patches.append(Put(path, _lane(facts, ensemble)))
        plan.notes.append(f"changed: {quoted(ensemble.handle)}: approach: none -> {ensemble.approach}")
        return
    approaches = lane.get("approaches")
    if isinstance(approaches, list) and ensemble.approach not in approaches:
        plan.patches.append(Append((*path, "approaches"), ensemble.approach))
    old = lane.get("default", "none")
    if old != ensemble.approach:
        plan.patches.append(Put((*path, "default"), ensemble.approach))
        plan.notes.append(f"changed: {quoted(ensemble.handle)}: approach: {old} -> {ensemble.approach}")


def _lane(facts: SyncFacts, ensemble: Ensemble) -> dict[str, Any]:
    """Its approach alone; where OptiLLM's upstream is another server, that holds for this handle too."""
    first: object = next(iter(facts.section("homelab", "optillm").values()), {})
    off = isinstance(first, dict) and first.get("carrier") in ("off", False)
    found: dict[str, Any] = {"approaches": [ensemble.approach], "default": ensemble.approach}
    return {**found, "carrier": "off"} if off else found


def _add(facts: SyncFacts, plan: SyncPlan, ensemble: Ensemble) -> None:
    """Like the first OptiLLM handle that there is, whose address and key it has."""
    lanes = facts.section("homelab", "optillm")
    like = next((one for one in facts.own if one[1].group in lanes), None)
    theirs = facts.raw(like[0])["litellm_params"] if like else {}
    provider = provider_of(like[1] if like else None)
    server = {"api_base": f"{ENV_PREFIX}OPTILLM_API_BASE", "api_key": f"{ENV_PREFIX}OPTILLM_GATE_KEY"}
    params = {**server, **theirs, "model": f"{provider}/{ensemble.base}"}
    params = {"model": params.pop("model"), **params}
    info = {"mode": "chat", **_limits(facts, ensemble.base)}
    new = {"model_name": ensemble.handle, "litellm_params": params, "model_info": info}
    plan.patches.append(Append(("model_list",), new, MARK))
    plan.patches.append(Put(("homelab", "optillm", ensemble.handle), _lane(facts, ensemble)))
    plan.place(facts, "handles", ensemble.handle)
    plan.notes.append(f"added: {quoted(ensemble.handle)}: {ensemble.approach} over {quoted(ensemble.base)}")


def _limits(facts: SyncFacts, base: str) -> dict[str, Any]:
    """What its base can read and write."""
    for number, one in facts.own:
        if one.group == base:
            info, model = facts.raw(number).get("model_info"), models.registry_id(one, facts)
            written = {name: info[name] for name in LIMITS if name in info} if isinstance(info, dict) else {}
            return {**written, **(models.limits(facts.registry[model]) if facts.registry and model else {})}
    return {}
