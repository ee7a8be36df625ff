"""Whether the showroom's names are there, stand in one place each, and lead to no backroom model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from litellm_homelab.routerfile import is_unset
from litellm_homelab.showroom import handles, registry

if TYPE_CHECKING:
    from litellm_homelab.settings import Settings

Place = tuple[str, str]
"""(where a name stands, the name)"""


def problems(settings: Settings, folder: Path) -> Iterator[str]:
    """What is wrong with the showroom's names, in words; relative paths are relative to `folder`."""
    places = list(_places(settings))
    first: dict[str, str] = {}
    for where, name in places:
        yield from _name_problems(where, name, first.get(name), settings)
        first.setdefault(name, where)
    yield from _fallback_problems(settings, frozenset(first))
    yield from _registry_problems(settings, places, folder)


def _places(settings: Settings) -> Iterator[Place]:
    showroom = settings.homelab.showroom
    for which in ("handles", "hidden", "internal"):
        for number, name in enumerate(getattr(showroom, which)):
            yield f"homelab.showroom.{which}[{number}]", name
        if which == "handles":
            for name, line in settings.handles_lines.items():
                if name not in showroom.handles:  # the file may repeat what the list has
                    yield f"homelab.showroom.handles_file: {showroom.handles_file}: line {line}", name


def _name_problems(where: str, name: str, before: str | None, settings: Settings) -> Iterator[str]:
    if before is not None:
        yield f"{where}: {name!r} stands at {before} already; a name has one place"
        return
    if name in settings.router.aliases:
        yield f"{where}: {name!r} is a model_group_alias; make it a model_name of model_list instead"
    elif name not in settings.router.groups:
        yield f"{where}: {name!r} is not a model_name of model_list ({_known(settings)})"
    problem = handles.naming_problem(name)
    if problem:
        yield f"{where}: {problem}"


def _known(settings: Settings) -> str:
    return f"known: {', '.join(settings.router.groups) or 'none'}"


def _fallback_problems(settings: Settings, placed: frozenset[str]) -> Iterator[str]:
    groups = settings.router.groups
    for where, source, targets in settings.router.fallbacks:
        if source not in groups and source != "*":
            yield f"{where}: {source!r} is not a model_name of model_list ({_known(settings)})"
        for target in targets:
            if target not in groups:
                yield f"{where}: {source} -> {target!r}: not a model_name of model_list ({_known(settings)})"
            elif target not in placed:
                yield (
                    f"{where}: {source} -> {target!r} leads to a backroom model; "
                    "put it into homelab.showroom.internal or take it out of the fallbacks"
                )


def _registry_problems(settings: Settings, places: list[Place], folder: Path) -> Iterator[str]:
    """Where a name's model is in the registry, its files must lie in the roots."""
    showroom = settings.homelab.showroom
    if any(is_unset(root) for root in showroom.roots):
        return  # told already, and everything would seem to lie outside
    if showroom.registry and not showroom.roots:
        yield "homelab.showroom.roots: missing; with a registry it says which folders are showroom storage"
        return
    for where, name in places:
        for model in sorted({one.upstream_model for one in settings.router.groups.get(name, ())}):
            entry = settings.registry.get(model)
            if entry and not registry.inside(entry.path, showroom.roots, folder):
                yield (
                    f"{where}: {name!r} is backroom: the files of its model {model!r} are at "
                    f"{_spot(entry.path, folder)}, outside of homelab.showroom.roots "
                    f"({', '.join(showroom.roots)}); move them, or take the name out"
                )


def _spot(path: str, folder: Path) -> str:
    """The path as written and, where links or `..` lead elsewhere, the place itself."""
    place = registry.resolved(path, folder)
    return path if place == Path.cwd() / folder / path else f"{path} (that is {place})"
