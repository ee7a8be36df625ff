"""What a synchronisation starts from, and what it decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.references import ENV_PREFIX
from litellm_homelab.config.wording import quoted
from litellm_homelab.sync.patches import Append, Patch, PatchPath, Remove, where

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment, RouterFile
    from litellm_homelab.showroom.registry import RegistryEntry
    from litellm_homelab.sync.sources import Ensemble

SHOWROOM: Final = ("handles", "hidden", "internal")
PROVIDER: Final = "lm_studio"
"""Of a deployment that has no other to be like: any OpenAI-compatible chat server (config/router.yaml)."""


@dataclass(frozen=True, slots=True)
class SyncFacts:
    """A router.yaml and the files that it is brought in line with."""

    content: Mapping[str, Any]
    """The file itself, without what it includes."""
    router: RouterFile
    """The file with what it includes, references resolved."""
    folder: Path
    registry: Mapping[str, RegistryEntry] | None = None
    ensembles: Mapping[str, Ensemble] | None = None
    marked: frozenset[str] = frozenset()
    """Groups that an earlier run wrote from `ensembles.jsonl`."""
    listed: frozenset[str] = frozenset()
    """Handles of the handles file."""

    @property
    def own(self) -> list[tuple[int, Deployment]]:
        """Deployments that are in the file itself, with their numbers in `model_list`."""
        entries = self.content.get("model_list")
        most = len(entries) if isinstance(entries, list) else 0
        numbered = ((int(one.where[11:-1]), one) for one in self.router.deployments)
        return [(number, one) for number, one in numbered if number < most]

    def raw(self, number: int) -> Mapping[str, Any]:
        """An entry of `model_list` as it is written."""
        entry = self.content["model_list"][number]
        return entry if isinstance(entry, dict) else {}

    def section(self, *names: str) -> Mapping[str, Any]:
        """A mapping of the file, empty where there is none."""
        found: Any = self.content
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def placed(self) -> frozenset[str]:
        """Names that the showroom has, in any list."""
        showroom = self.section("homelab", "showroom")
        lists = (showroom.get(one) for one in SHOWROOM)
        return self.listed | {str(name) for one in lists if isinstance(one, list) for name in one}


@dataclass(slots=True)
class SyncPlan:
    """Changes of the file, a line about each, and what a person has to do."""

    patches: list[Patch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def place(self, facts: SyncFacts, which: str, name: str) -> None:
        """List a name in the showroom, unless it is there already."""
        if name not in facts.placed and facts.section("homelab"):
            self.patches.append(Append(("homelab", "showroom", which), name))

    def remove(self, facts: SyncFacts, name: str, why: str) -> None:
        """Remove a group with its place in the showroom, unless something else of the file names it."""
        own: list[PatchPath] = [
            ("model_list", number) for number, one in facts.own if facts.raw(number).get("model_name") == name
        ]
        own += _places(facts, name)
        if name in facts.section("homelab", "optillm"):
            own.append(("homelab", "optillm", name))
        others = [path for path in _named(facts.content, name, ()) if not _below(path, own)]
        if others:
            places = ", ".join(where(path) for path in others[:3])
            self.left.append(f"{quoted(name)} {why}, and {places} names it: remove it by hand")
            return
        self.patches += [Remove(path) for path in own]
        self.notes.append(f"gone: {quoted(name)} {why}")


def variable(name: str, what: str) -> str:
    """A reference to an environment variable: `os.environ/MLX_QWEN3_30B_API_BASE`."""
    return f"{ENV_PREFIX}{''.join(one if one.isalnum() else '_' for one in name.upper())}_{what}"


def provider_of(one: Deployment | None) -> str:
    """A deployment's provider, or one that fits any server where it has none or a variable has it."""
    known = one is not None and not one.model.startswith(ENV_PREFIX)
    return (one.provider if one is not None and known else "") or PROVIDER


def _places(facts: SyncFacts, name: str) -> Iterator[PatchPath]:
    showroom = facts.section("homelab", "showroom")
    for which in SHOWROOM:
        listed = showroom.get(which)
        for number, one in enumerate(listed if isinstance(listed, list) else ()):
            if one == name:
                yield ("homelab", "showroom", which, number)


def _named(content: object, name: str, path: PatchPath) -> Iterator[PatchPath]:
    """Every place of a document that has a name as a key or as a value."""
    if isinstance(content, dict):
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
