"""Reads a router.yaml for the map: the facts that the page has of a running gateway, from the file alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from litellm_homelab import __version__
from litellm_homelab.backends.rule import Backends, Server
from litellm_homelab.check.names import known_litellm
from litellm_homelab.config import includes, loading, text_file, yaml_text
from litellm_homelab.config.references import ENV_PREFIX, is_unset
from litellm_homelab.config.wildcards import is_wildcard
from litellm_homelab.config.yaml_text import NotReadable
from litellm_homelab.optillm import checks as optillm_checks
from litellm_homelab.optillm import topology
from litellm_homelab.optillm.addresses import address_of
from litellm_homelab.page import configured
from litellm_homelab.page.facts import Deployed, Facts, ShownSettings, WorkerFacts

if TYPE_CHECKING:
    from pathlib import Path

    from litellm_homelab.config.deployments import Deployment
    from litellm_homelab.config.settings import Settings
    from litellm_homelab.optillm.topology import Graph

BACKROOM: Final = "backroom"
MISSING: Final = "missing"
UNSET: Final = "unset"


@dataclass(frozen=True)
class FileMap:
    """What the map of a file is drawn from."""

    settings: Settings
    graph: Graph
    facts: Facts

    @cached_property
    def places(self) -> dict[str, str]:
        """By name: `handle`, `hidden`, `internal`, or why no client may call it."""
        return {name: place for name, _, place in self.facts.shown.handles}

    def deployments(self) -> Iterator[tuple[Deployment, str]]:
        """Every deployment of a name of the map, with its backend."""
        for one in self.settings.router.deployments:
            if one.group in self.places:
                yield one, backend_of(self, one)

    def called(self, name: str) -> str:
        """The name that a request for `name` gets: an alias leads to its group, a variable has a `$`."""
        if name not in self.graph.groups and name in self.graph.aliases:
            return self.graph.aliases[name]
        return self.unset_models.get(name, name)

    @cached_property
    def unset_models(self) -> dict[str, str]:
        """By the name that would be sent: `$NAME` of each model that is in a variable which is not set."""
        return {
            topology.base_model(one.model, one.custom_provider): _variable(one.model)
            for one in self.settings.router.deployments
            if is_unset(one.model)
        }


def read(path: Path, environ: Mapping[str, str], text: str | None = None) -> FileMap | None:
    """A file as the map needs it; None where it cannot be read so far: `check` says why."""
    try:
        document = yaml_text.load(text_file.read(path) if text is None else text)
        merged = includes.merged(document, path)
        known = known_litellm(environ)
        settings, _ = loading.examined(document, path=path, environ=environ, known=known, merged=merged)
    except (OSError, ValueError, NotReadable):
        return None
    if settings is None:
        return None
    return of_settings(settings, optillm_checks.graph(settings, known))


def of_settings(settings: Settings, graph: Graph) -> FileMap:
    """The map of checked settings; of wrong ones too, as far as they go."""
    empty = Facts(0.0, ShownSettings(__version__, "", ()), 1, 1, WorkerFacts("", 0.0))
    found = FileMap(settings, graph, empty)
    names = dict(configured.placed(settings))
    names |= dict(_led_to(found, names))
    modes = {one.group: one.mode for one in reversed(settings.router.deployments)}
    shown = ShownSettings(
        __version__,
        "",
        tuple((name, modes.get(name, "chat"), place) for name, place in names.items()),
        {
            source: tuple(dict.fromkeys(map(found.called, targets)))
            for source, targets in configured.chains(settings, names).items()
        },
        configured.callers(settings),
        {
            name: tuple(dict.fromkeys(map(found.called, targets)))
            for name, targets in configured.calls_back(settings).items()
        },
    )
    found = replace(found, facts=replace(empty, shown=shown))
    deployed = tuple(dict.fromkeys(Deployed(one.group, backend) for one, backend in found.deployments()))
    backends = tuple(configured.backends(settings, deployed))
    return replace(found, facts=replace(found.facts, deployed=deployed, backends=backends))


def backend_of(found: FileMap, one: Deployment) -> str:
    """The backend of a deployment; for an address in a variable that is not set, the variable with a `$`."""
    sections = found.settings.homelab.backends
    if is_unset(one.api_base):
        named = (name for name, section in sections.items() if one.api_base in section.at)
        return next(named, _variable(one.api_base))
    if one.api_base and address_of(one.api_base) in found.graph.own:
        return topology.GATEWAY
    server = Server(one.group, one.provider, one.api_base, _credential(one))
    name = next(Backends(sections).configured(server), None) or (server.place.name if server.place else None)
    return name or _without_place(found, one)


def _without_place(found: FileMap, one: Deployment) -> str:
    """
    The name of a server whose address is not known: its host, else its provider.

    The page tells accounts of a provider apart by a part of the key's hash; a map that is shown to others
    counts them.
    """
    address = address_of(one.api_base) if one.api_base else None
    if address is not None:
        return f"{address[0]}:{address[1]}"
    every = found.settings.router.deployments
    keys = [*dict.fromkeys(_credential(each) for each in every if each.provider == one.provider)]
    number = keys.index(_credential(one)) + 1
    provider = one.provider or "provider"
    return provider if number == 1 else f"{provider}, key {number}"


def _credential(one: Deployment) -> str:
    return str(one.params.get("api_key") or "")


def _variable(reference: str) -> str:
    return f"${reference.removeprefix(ENV_PREFIX)}"


def _led_to(found: FileMap, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Names that are in none of the showroom's lists and that a caller, a chain or OptiLLM leads to."""
    listed = (handles or () for _, _, handles in configured.callers(found.settings))
    router = found.settings.router
    todo = [*names, *(found.called(one) for handles in listed for one in handles)]
    seen: set[str] = set()
    while todo:
        name = todo.pop(0)
        if name in seen or is_wildcard(name):
            continue
        seen.add(name)
        if name not in names:
            yield name, _why_not(found, name)
        todo += [found.called(target) for _, target in found.graph.edges(name)]
        sources = router.sources(name)
        chained = (targets for _, source, targets in (*router.fallbacks, *router.leads) if source in sources)
        todo += [found.called(one) for targets in chained for one in targets]


def _why_not(found: FileMap, name: str) -> str:
    if name in found.unset_models.values():
        return UNSET
    return BACKROOM if any(found.graph.edges(name)) or name in found.graph.groups else MISSING
