"""What a router.yaml needs to run with us: which names are shown, which lines are added, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.entry_points import GATE, PLUGIN
from litellm_homelab.config.promises import CHAT_COMPLETIONS, PROMISES, is_asked_for_responses
from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.retries import CHAIN_SECONDS, after_a_timeout
from litellm_homelab.config.wildcards import group_for, is_wildcard
from litellm_homelab.config.wording import quoted, shown
from litellm_homelab.config.yaml_text import section_of
from litellm_homelab.optillm import approaches, catalogue
from litellm_homelab.showroom.handles import naming_problem

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import RouterFile

AMBIGUOUS: Final = frozenset(
    {"auto", "compact", "json", "memory", "none", "privacy", "proxy", "router", "spl", "mcp"}
)
"""Approaches that a model of another kind may be called: `memory-7b`, `router-large`."""

TIMEOUTS: Final = (600, 300, 240, 180, 120, 60)
"""Seconds of an attempt: the longest with which no chain takes more than `CHAIN_SECONDS`."""


class CannotAdopt(ValueError):
    """There is nothing to draft from; the message says what is missing."""


@dataclass(slots=True)
class Draft:
    """Everything that is added or changed, and a note on every decision."""

    homelab: dict[str, Any] = field(default_factory=dict)
    settings: list[tuple[str, str, object]] = field(default_factory=list)
    """(section, name, value) of LiteLLM's settings that are added."""
    callback: bool = False
    params: dict[int, dict[str, object]] = field(default_factory=dict)
    """What is added to `litellm_params`, by the entry's number in `model_list`."""
    models: dict[int, str] = field(default_factory=dict)
    """Models that are written otherwise, by their number in `model_list`."""
    notes: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    """Variables of the environment that the draft reads and that must be set."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person says on the command line."""

    callers: Sequence[str] = ()
    """Clients that get a key of their own."""
    handles: Sequence[str] = ()
    """Names below wildcard groups, or of the database, that clients use."""


def decide(document: Mapping[str, Any], router: RouterFile, wishes: Wishes) -> Draft:
    """
    Draft the section and the lines for a file that has none.

    Raises:
        CannotAdopt: the file has a `homelab:` section, or no name that could be shown.

    """
    if "homelab" in document:
        raise CannotAdopt(
            "there is a `homelab:` section already; `litellm-homelab check` says what is wrong with it"
        )
    draft = Draft()
    lanes = dict(_lanes(router, draft))
    showroom = _showroom(document, router, wishes, draft)
    draft.homelab = {"showroom": showroom}
    _callers(document, wishes, draft)
    if lanes:
        draft.homelab["optillm"] = lanes
    _lines(document, router, bool(lanes), draft)
    _responses(document, router, draft)
    _timeout(document, router, draft)
    draft.notes += _elsewhere(document, router)
    return draft


# --- names -----------------------------------------------------------------------------------------


def _showroom(
    document: Mapping[str, Any], router: RouterFile, wishes: Wishes, draft: Draft
) -> dict[str, list[str]]:
    written = _written_names(document, router)
    names = [name for name in router.groups if not is_wildcard(name)]
    usable = [name for name in names if _usable(name, router, draft)]
    led = _led_only(router, usable)
    quiet = [name for name in usable if _is_undiscoverable(document, written[name]) and name not in led]
    shown_names = [name for name in usable if name not in led and name not in quiet]
    below = [name for name in wishes.handles if name not in usable]
    if not shown_names and not below:
        shown_names, led = [*led], []
    if not shown_names and not below:
        raise CannotAdopt(
            "no group has a name that clients can ask for exactly; say which names they use: "
            "--handle openai/gpt-4o"
        )
    draft.notes += _about_names(router, led, quiet, below)
    lists = {"handles": [*shown_names, *below], "hidden": quiet, "internal": led}
    return {key: [written.get(name, name) for name in found] for key, found in lists.items() if found}


def _written_names(document: Mapping[str, Any], router: RouterFile) -> dict[str, str]:
    """The groups with their names as the file writes them: a reference stays one."""
    entries = document.get("model_list")
    found = {}
    for one in router.deployments:
        entry = entries[_number(one.where)] if isinstance(entries, list) else {}
        found[one.group] = str(entry.get("model_name"))
    return found


def _number(where: str) -> int:
    return int(where.removeprefix("model_list[").removesuffix("]"))


def _usable(name: str, router: RouterFile, draft: Draft) -> bool:
    problem = naming_problem(name) if not name.startswith(ENV_PREFIX) else None
    if problem is not None:
        draft.notes.append(f"{problem}; left out: no client can call it until you rename the group")
    modes = {one.mode for one in router.groups[name] if one.mode_is_set}
    if len(modes) > 1:
        draft.notes.append(
            f"{quoted(name)}: its deployments have different modes ({', '.join(sorted(modes))}); left out: "
            "give each mode a group of its own"
        )
    return problem is None and len(modes) <= 1


def _led_only(router: RouterFile, usable: Sequence[str]) -> list[str]:
    """Groups that others lead to and that lead nowhere themselves; not those of `default_fallbacks`."""
    steps = [one for one in (*router.fallbacks, *router.leads) if one[1] != "*"]
    sources = {source for _, source, _ in steps}
    targets = {target for _, _, found in steps for target in found}
    return [name for name in usable if name in targets and name not in sources]


def _is_undiscoverable(document: Mapping[str, Any], name: str) -> bool:
    """Whether its settings keep it out of LiteLLM's listing (`model_info.discoverable: false`)."""
    entries = [one for one in document.get("model_list") or () if isinstance(one, dict)]
    infos = [one.get("model_info") for one in entries if one.get("model_name") == name]
    return bool(infos) and all(isinstance(one, dict) and one.get("discoverable") is False for one in infos)


def _about_names(
    router: RouterFile, led: Sequence[str], quiet: Sequence[str], below: Sequence[str]
) -> Iterator[str]:
    for name in led:
        yield (
            f"{quoted(name)} is internal, since other groups lead to it; move it to handles if clients ask "
            "for it by name"
        )
    for name in quiet:
        yield f"{quoted(name)} is hidden, as `discoverable: false` says: clients may call it, no list has it"
    patterns = [name for name in router.groups if is_wildcard(name)]
    for pattern in patterns:
        served = [name for name in below if group_for(name, patterns) == pattern]
        yield (
            f"{quoted(pattern)} is a wildcard group: it serves the names below it that are listed "
            f"({', '.join(served) or 'none yet; add them under handles, or with --handle'})"
        )
    for alias, group in router.aliases.items():
        yield (
            f"model_group_alias {quoted(alias)}: clients cannot call it; to keep it, repeat the deployments "
            f"of {quoted(group)} under `model_name: {alias}` and list it under handles"
        )


# --- OptiLLM ---------------------------------------------------------------------------------------


def _lanes(router: RouterFile, draft: Draft) -> Iterator[tuple[str, dict[str, Any]]]:
    """An OptiLLM handle for each group whose model begins with an approach, at a server of one's own."""
    for group, deployments in router.groups.items():
        found = {_approach(one.upstream_model, one.api_base) for one in deployments}
        approach = next(iter(found))
        draft.notes += _about_combinations(group, {one.upstream_model for one in deployments})
        if len(found) != 1 or not approach:
            continue
        for one in deployments:
            rest = one.upstream_model.removeprefix(f"{approach}-")
            before = one.model[: len(one.model) - len(one.upstream_model)]
            if not before and rest.startswith(f"{one.custom_provider}/"):
                before = f"{one.custom_provider}/"  # LiteLLM takes it off once
            draft.models[_number(one.where)] = before + rest
        draft.notes.append(
            f"{quoted(group)} is an OptiLLM handle: its model began with {approach}-, which is now its "
            "default approach; `carrier: off` says that OptiLLM does not call this gateway back. Where it "
            "does, remove that and give OptiLLM a caller of role optillm (docs/optillm.md)"
        )
        yield group, {"approaches": ["none", approach], "default": approach, "carrier": "off"}


def _about_combinations(group: str, models: Collection[str]) -> Iterator[str]:
    """A note where a model begins with a combination of approaches: a handle's default is one of them."""
    for name in sorted({model.partition("-")[0] for model in models if "-" in model}):
        parts = re.split(r"[&|]", name)
        if len(parts) > 1 and all(catalogue.unknown(part) is None for part in parts):
            yield (
                f"{quoted(group)} asks OptiLLM for the combination {name}, which cannot be a handle's "
                "default: left as it is, without limits on its calls. To have them, take it off the "
                f"model's name and list {' and '.join(parts)} under `homelab.optillm`; clients then send "
                f'"optillm_approach": "{name}"'
            )


def _approach(model: str, api_base: str) -> str:
    """The approach in front of a model's name, empty where it is not certain that there is one."""
    first = model.partition("-")[0]
    known = approaches.eaten_by_optillm(model) and catalogue.unknown(first) is None
    return first if known and (first not in AMBIGUOUS or "optillm" in api_base) and "-" in model else ""


# --- lines -----------------------------------------------------------------------------------------


def _callers(document: Mapping[str, Any], wishes: Wishes, draft: Draft) -> None:
    own = section_of(document, "general_settings").get("custom_auth")
    if own not in (None, GATE):
        draft.notes.append(
            f"general_settings.custom_auth: {shown(own)} stays, so `homelab.callers` cannot be used; to give "
            f"clients keys here, write {GATE} in its place"
        )
        return
    callers = {}
    for name in wishes.callers:
        variable = "".join(one if one.isalnum() else "_" for one in name.upper()) + "_KEY"
        callers[name] = {"key": f"{ENV_PREFIX}{variable}"}
        draft.variables.append(variable)
    if callers:
        draft.homelab["callers"] = callers
    else:
        draft.notes.append("no client has a key of its own; --caller NAME adds one for each")


def _lines(document: Mapping[str, Any], router: RouterFile, has_lanes: bool, draft: Draft) -> None:
    general = section_of(document, "general_settings")
    has_gate = general.get("custom_auth", GATE) == GATE
    wanted: list[tuple[str, str, object]] = []
    if "custom_auth" not in general:
        wanted.append(("general_settings", "custom_auth", GATE))
    wanted += [
        (one.section, one.name, one.value)
        for one in PROMISES
        if one.applies(gate=has_gate, optillm=has_lanes)
    ]
    for section, name, value in wanted:
        present = section_of(document, section)
        if name not in present:
            draft.settings.append((section, name, value))
        elif present[name] != value:
            draft.notes.append(f"{section}.{name}: {shown(present[name])} stays; we recommend {shown(value)}")
    draft.callback = PLUGIN not in router.callbacks


def _responses(document: Mapping[str, Any], router: RouterFile, draft: Draft) -> None:
    """Local chat servers get the setting with which LiteLLM asks them for chat completions alone."""
    own = document.get("model_list")
    entries = len(own) if isinstance(own, list) else 0
    found = [
        one for one in router.deployments if is_asked_for_responses(one) and _number(one.where) < entries
    ]
    draft.params = {_number(one.where): {CHAT_COMPLETIONS: True} for one in found}
    if found:
        names = ", ".join(dict.fromkeys(quoted(one.group) for one in found))
        draft.notes.append(
            f"{names}: /v1/responses is sent as chat completions, since few local servers have it; "
            f"remove `{CHAT_COMPLETIONS}` where a server does"
        )


def _timeout(document: Mapping[str, Any], router: RouterFile, draft: Draft) -> None:
    """A time after which an attempt ends, where LiteLLM would wait for more than an hour and a half."""
    settings = section_of(document, "router_settings")
    if settings.get("timeout") or section_of(document, "litellm_settings").get("request_timeout"):
        return
    if all(one.params.get("timeout") is not None for one in router.deployments):
        return
    chains = [(source, *targets) for where, source, targets in router.fallbacks if ".fallbacks[" in where]
    calls = [sum(1 + after_a_timeout(document, one) for one in chain) for chain in chains]
    seconds = next(
        one for one in TIMEOUTS if one * max(calls, default=1) <= CHAIN_SECONDS or one == TIMEOUTS[-1]
    )
    draft.settings.append(("router_settings", "timeout", seconds))
    draft.notes.append(
        f"router_settings.timeout: an attempt ends after {seconds} seconds, where LiteLLM waits 6000; take a "
        "longer one if your models need it"
    )


def _elsewhere(document: Mapping[str, Any], router: RouterFile) -> Iterator[str]:
    """A sentence for what is unusual, and what it means with us."""
    general = section_of(document, "general_settings")
    if router.in_database:
        yield "models of LiteLLM's database are served once their names are listed; --handle NAME lists them"
    endpoints = general.get("pass_through_endpoints")
    for one in endpoints if isinstance(endpoints, list) else ():
        path = one.get("path") if isinstance(one, dict) else None
        if path:
            yield f"the pass-through endpoint {path} is closed; `homelab.gate.open: [{path}]` opens it"
    if document.get("mcp_servers"):
        yield "routes of MCP servers are closed; name those that you use under `homelab.gate.open`"
    if document.get("guardrails"):
        yield "your guardrails stay as they are, for requests that our rules let through"
    if document.get("include"):
        yield "included files stay as they are; the new lines are in this one"
    yield "counters are kept in homelab.db beside this file; `homelab.state` names another place"
