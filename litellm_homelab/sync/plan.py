"""What a synchronisation decides: changes of the file, and a line about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.wording import quoted
from litellm_homelab.sync.facts import SHOWROOM, SyncFacts
from litellm_homelab.sync.patches import Append, Patch, PatchPath, Put, Remove, flow, where

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment

HOMELAB: Final = "homelab"
PROVIDER: Final = "lm_studio"
"""Of a deployment that has no other to be like: any OpenAI-compatible chat server (config/router.yaml)."""


@dataclass(slots=True)
class SyncPlan:
    """Changes of the file, what they are, and what a person has to do."""

    patches: list[Patch] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    """A line about each change."""
    notes: list[str] = field(default_factory=list)
    """What stays as it is, and why."""
    by_hand: list[str] = field(default_factory=list)
    """What a person has to do because of a change: another part of it is in a file that is not changed."""
    left: list[str] = field(default_factory=list)
    """What a person has to do as things are."""

    def add(self, other: SyncPlan) -> None:
        """Take what another plan has as well."""
        self.patches += other.patches
        self.done += other.done
        self.notes += other.notes
        self.by_hand += other.by_hand
        self.left += other.left

    def place(self, facts: SyncFacts, which: str, name: str) -> None:
        """List a name in the showroom, unless it is there already."""
        if name not in facts.placed and facts.homelab:
            self.in_homelab(facts, Append((HOMELAB, "showroom", which), name), f"add {flow(name)}")

    def in_homelab(self, facts: SyncFacts, patch: Append | Put, by_hand: str) -> bool:
        """Change the `homelab:` section; False where an included file has it, which is left to a person."""
        if facts.homelab_file:
            self.by_hand.append(f"{where(patch.path)} is in {facts.homelab_file}: {by_hand} there")
            return False
        self.patches.append(patch)
        return True

    def remove(self, facts: SyncFacts, name: str, why: str) -> None:
        """Remove a group with its place in the showroom, unless something else needs it or names it."""
        kept = _needed(facts, name)
        if kept:
            self.left.append(f"{quoted(name)} {why}, {kept}")
            return
        self.patches += [Remove(path) for path in _own_places(facts, name)]
        self.done.append(f"gone: {quoted(name)} {why}")


def variable(name: str, what: str) -> str:
    """A reference to an environment variable: `os.environ/MLX_QWEN3_30B_API_BASE`."""
    return f"{ENV_PREFIX}{''.join(one if one.isalnum() else '_' for one in name.upper())}_{what}"


def provider_of(one: Deployment | None) -> str:
    """A deployment's provider, or one that fits any server where it has none or a variable has it."""
    known = one is not None and not one.model.startswith(ENV_PREFIX)
    return (one.provider if one is not None and known else "") or PROVIDER


def _needed(facts: SyncFacts, name: str) -> str:
    """Why a group cannot go, with what to do; empty where it can."""
    files = [file for one in facts.router.groups[name] if (file := facts.file_of(one))]
    if files:
        return f"but {files[0]} has it too: remove it there, and run this again"
    over = [one for one in facts.handles_over(name) if one != name]
    if over:
        return (
            f"but the OptiLLM handle {quoted(over[0])} calls it: give the handle another base, or remove "
            "both by hand"
        )
    own = _own_places(facts, name)
    named = [where(path) for path in _named(facts.content, name, ()) if not _below(path, own)]
    named += [
        f"{where(path)} of {file}"
        for file, content in facts.included.items()
        for path in _named(content, name, ())
    ]
    named += ["the file of homelab.showroom.handles_file"] if name in facts.listed else []
    named += [] if named else _by_variable(facts, name)
    return f"and {', '.join(named[:3])} names it: remove the name there, and run this again" if named else ""


def _by_variable(facts: SyncFacts, name: str) -> list[str]:
    """Where a reference to a variable names a group: as a fallback, or in a deployment's parameters."""
    leads = (*facts.router.fallbacks, *facts.router.leads)
    return [place for place, source, targets in leads if source != name and name in targets]


def _own_places(facts: SyncFacts, name: str) -> list[PatchPath]:
    """The group's entries, its places in the showroom and its OptiLLM settings, in the file itself."""
    found: list[PatchPath] = [("model_list", number) for number, one in facts.own if one.group == name]
    section = facts.content.get(HOMELAB)
    homelab: Mapping[str, Any] = section if isinstance(section, Mapping) else {}
    showroom = homelab.get("showroom") or {}
    for which in SHOWROOM:
        for number, one in enumerate(showroom.get(which) or ()):
            if one == name:
                found.append((HOMELAB, "showroom", which, number))
    return [*found, (HOMELAB, "optillm", name)] if name in (homelab.get("optillm") or {}) else found


def _named(content: object, name: str, path: PatchPath) -> Iterator[PatchPath]:
    """Every place of a document that has a name as a key or as a value."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if key == name:
                yield (*path, key)
            yield from _named(value, name, (*path, key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _named(value, name, (*path, number))
    elif content == name:
        yield path


def _below(path: PatchPath, places: list[PatchPath]) -> bool:
    return any(path[: len(one)] == one for one in places)
