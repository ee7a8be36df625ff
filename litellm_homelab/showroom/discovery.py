"""Handles that a backend lists: which of its models become names below a wildcard group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from litellm_homelab.backends.kinds import LATEST
from litellm_homelab.config import wildcards
from litellm_homelab.optillm import approaches
from litellm_homelab.showroom import handles, registry

if TYPE_CHECKING:
    from litellm_homelab.config.router_file import Deployment, RouterFile
    from litellm_homelab.config.sections import DiscoverSection
    from litellm_homelab.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Listed:
    """The names that the list of one backend gives."""

    backend: str
    group: str
    """The wildcard group that they are below."""
    modes: Mapping[str, str]
    """Every name that is served, with its mode."""
    shown: tuple[str, ...]
    """Those that listings show, sorted: Ollama takes `qwen3` for `qwen3:latest`, and lists the latter."""
    router: RouterFile = field(repr=False)
    """router.yaml with the groups of these names."""


class Discovery:
    """`homelab.showroom.discover`: what a list of models means, and whether a name could be on one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sections = settings.homelab.showroom.discover
        self.backends = tuple(self._sections)
        """The backends whose lists count."""
        showroom = settings.homelab.showroom
        self._placed = frozenset((*settings.handles, *showroom.hidden, *showroom.internal))
        self._patterns = [one for one in settings.router.groups if wildcards.is_wildcard(one)]
        self._own = frozenset(one.group for one in settings.router.deployments if not one.wildcard)

    def listed(self, backend: str, models: Collection[str], mode_of: Callable[[str, str], str]) -> Listed:
        """The names that a backend's list gives; `mode_of` knows a model's mode (model, provider)."""
        section = self._sections[backend]
        found = {
            section.group.replace(wildcards.STAR, model): model
            for model in models
            if wanted(section, model) and self._may_be(section, model)
        }
        router = self._settings.router.with_names(found, mode_of)
        groups = router.groups
        names = {name: model for name, model in found.items() if self._in_roots(groups.get(name, ()))}
        is_ollama = self._settings.homelab.backends[backend].kind == "ollama"
        shown = (name for name, model in names.items() if not (is_ollama and model + LATEST in models))
        modes = {name: groups[name][0].mode for name in sorted(names)}
        return Listed(backend, section.group, modes, tuple(sorted(shown)), router)

    def backend_of(self, name: str) -> str | None:
        """The backend whose list could have a name; None for a name that no list can give."""
        for backend, section in self._sections.items():
            before, _, after = section.group.partition(wildcards.STAR)
            if not (name.startswith(before) and name.endswith(after)):
                continue
            model = name[len(before) : len(name) - len(after)]
            if wanted(section, model) and self._may_be(section, model):
                return backend
        return None

    def _may_be(self, section: DiscoverSection, model: str) -> bool:
        """
        Whether the rules of names allow the name of a model.

        A name that router.yaml has elsewhere keeps its place: a backroom model does not become a handle.
        """
        name = section.group.replace(wildcards.STAR, model)
        if not model or handles.naming_problem(name) is not None:
            return False
        if name in self._placed or name in self._own or name in self._settings.router.aliases:
            return False
        if self._settings.homelab.optillm and approaches.eaten_by_optillm(name):
            return False
        return wildcards.group_for(name, self._patterns) == section.group

    def _in_roots(self, deployments: Iterable[Deployment]) -> bool:
        """Whether the registry, where it knows a name's model, has its files in the showroom's storage."""
        entries = (self._settings.registry.get(one.upstream_model) for one in deployments)
        roots, folder = self._settings.homelab.showroom.roots, self._settings.folder
        return all(entry is None or registry.inside(entry.path, roots, folder) for entry in entries)


def wanted(section: DiscoverSection, model: str) -> bool:
    """
    Whether `only` and `except` let a model in; both are shell patterns, whatever the case of letters.

    A pattern of `except` also counts for the name without its tag: `*-base` leaves out `qwen-base:7b`.
    """
    spellings = _spellings(model.casefold())
    if _matches(section.left_out, (*spellings, model.casefold().partition(":")[0])):
        return False
    return not section.only or _matches(section.only, spellings)


def _spellings(model: str) -> tuple[str, ...]:
    """A name with and without Ollama's `:latest`."""
    return (model, model.removesuffix(LATEST), model if ":" in model else model + LATEST)


def _matches(patterns: Collection[str], names: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern.casefold()) for pattern in patterns for name in names)
