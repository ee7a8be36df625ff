"""What a synchronisation starts from: a router.yaml with what it includes, and its sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litellm_homelab.config.references import is_unset
from litellm_homelab.optillm.topology import base_model

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment, RouterFile
    from litellm_homelab.showroom.registry import RegistryEntry
    from litellm_homelab.sync.sources import Ensemble

SHOWROOM: Final = ("handles", "hidden", "internal")


@dataclass(frozen=True, slots=True)
class SyncSources:
    """What router.yaml is brought in line with; None is a source that there is not."""

    registry: Mapping[str, RegistryEntry] | None = None
    ensembles: Mapping[str, Ensemble] | None = None


@dataclass(frozen=True, slots=True)
class SyncFacts:
    """A router.yaml and the files that it is brought in line with."""

    content: Mapping[str, Any]
    """The file itself, without what it includes."""
    router: RouterFile
    """The file with what it includes, references resolved."""
    homelab: Mapping[str, Any]
    """The section that counts, wherever it is, references resolved."""
    folder: Path
    sources: SyncSources
    included: Mapping[str, Mapping[Any, Any]]
    """Contents of the included files by their names, in LiteLLM's order."""
    marked: frozenset[int] = frozenset()
    """Numbers of the entries that an earlier run wrote from `ensembles.jsonl`."""
    listed: frozenset[str] = frozenset()
    """Handles of the handles file."""

    @property
    def registry(self) -> Mapping[str, RegistryEntry]:
        """The registry's entries, none where there is no registry."""
        return self.sources.registry or {}

    @property
    def own(self) -> list[tuple[int, Deployment]]:
        """Deployments that are in the file itself, with their numbers in `model_list`."""
        most = len(self.content.get("model_list") or ())
        numbered = ((number_of(one), one) for one in self.router.deployments)
        return [(number, one) for number, one in numbered if number < most]

    def raw(self, one: Deployment) -> Mapping[str, Any]:
        """The entry of `model_list` as it is written."""
        entry: Mapping[str, Any] = self.router.document["model_list"][number_of(one)]
        return entry

    def file_of(self, one: Deployment) -> str:
        """The included file that a deployment is in, empty for the file itself."""
        first = len(self.content.get("model_list") or ())
        for name, content in (("", {}), *self.included.items()):
            first += len(content.get("model_list") or ())
            if number_of(one) < first:
                return name
        return ""

    @property
    def homelab_file(self) -> str:
        """The included file whose `homelab:` section counts, empty where it is the file's own."""
        files = [name for name, content in self.included.items() if "homelab" in content]
        return files[-1] if files else ""

    def section(self, *names: str) -> Mapping[str, Any]:
        """A mapping below `homelab:`, empty where there is none."""
        found: Any = self.homelab
        for name in names:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def placed(self) -> frozenset[str]:
        """Names that the showroom has, in any list."""
        showroom = self.section("showroom")
        return self.listed | {name for one in SHOWROOM for name in showroom.get(one) or ()}

    def is_marked(self, group: str) -> bool:
        """Whether every deployment of a group was written from `ensembles.jsonl` by an earlier run."""
        return {number_of(one) for one in self.router.groups.get(group, ())} <= self.marked

    def is_optillm(self, group: str) -> bool:
        """Whether a group is an OptiLLM handle."""
        return group in self.section("optillm") or (group in self.router.groups and self.is_marked(group))

    def calls_back(self, handle: str) -> bool:
        """Whether the upstream of a handle's OptiLLM is this gateway; a new handle's is the first one's."""
        lanes = self.section("optillm")
        lane: object = lanes.get(handle) or next(iter(lanes.values()), None)
        return not (isinstance(lane, Mapping) and lane.get("carrier") in ("off", False))

    def registry_id(self, one: Deployment) -> str:
        """
        The registry's id of a deployment's model, empty where it has none.

        Of an OptiLLM handle it is that of its base; where an unset variable has the model, the group's name.
        """
        if self.is_optillm(one.group):
            return "" if is_unset(one.model) else self._id_of_base(one)
        if is_unset(one.model):
            return one.group if one.group in self.registry else ""
        return one.upstream_model if one.upstream_model in self.registry else ""

    def registry_id_of_group(self, group: str) -> str:
        """The same of a group that is a model."""
        found = (
            self.registry_id(one) for one in self.router.groups.get(group, ()) if not self.is_optillm(group)
        )
        return next((one for one in found if one), "")

    def _id_of_base(self, one: Deployment) -> str:
        base = base_model(one.model, one.custom_provider)
        if self.calls_back(one.group) and base in self.router.groups:
            return self.registry_id_of_group(base)
        return base if base in self.registry else ""

    def handles_over(self, base: str) -> list[str]:
        """OptiLLM handles that call this gateway back for a base, or will by their line of the ensembles."""
        found = [
            one.group
            for one in self.router.deployments
            if self.is_optillm(one.group)
            and self.calls_back(one.group)
            and base_model(one.model, one.custom_provider) == base
        ]
        found += [one.handle for one in (self.sources.ensembles or {}).values() if one.base == base]
        return [*dict.fromkeys(found)]


def number_of(one: Deployment) -> int:
    """The number of a deployment's entry in `model_list`, those of included files counted on."""
    return int(one.where.removeprefix("model_list[").removesuffix("]"))
