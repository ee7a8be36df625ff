"""Whether the showroom's names exist, are listed once each, and lead to no backroom model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from litellm_homelab.config.findings import Caution
from litellm_homelab.config.router_file import Deployment, RouterFile, is_unset
from litellm_homelab.config.wildcards import is_wildcard
from litellm_homelab.config.wording import closest, did_you_mean, quoted
from litellm_homelab.showroom import handles, registry

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings

Place = tuple[str, str]
"""(where a name is listed, the name)"""
Groups = Mapping[str, list[Deployment]]
"""Deployments by `model_name`."""


def problems(settings: Settings, folder: Path) -> Iterator[str]:
    """What is wrong with the showroom's names, in words; relative paths are relative to `folder`."""
    places, groups = list(_places(settings)), settings.router.groups
    first: dict[str, str] = {}
    for where, name in places:
        if name in first:
            yield f"{where}: duplicate name {quoted(name)} (first listed at {first[name]})"
        else:
            yield from _name_problems(
                where, name, settings.router.aliases, groups, later=settings.router.in_database
            )
        first.setdefault(name, where)
    meant = {closest(name, groups) for name in first if name not in groups}
    yield from _target_problems(settings.router, frozenset(first) | meant, groups)
    yield from _registry_problems(settings, places, groups, folder)


def _places(settings: Settings) -> Iterator[Place]:
    showroom = settings.homelab.showroom
    for which in ("handles", "hidden", "internal"):
        for number, name in enumerate(getattr(showroom, which)):
            yield f"homelab.showroom.{which}[{number}]", name
        if which == "handles":
            for name in settings.handles[len(showroom.handles) :]:
                line = settings.handles_lines[name]
                yield f"homelab.showroom.handles_file: {showroom.handles_file}: line {line}", name


def _name_problems(
    where: str, name: str, aliases: Mapping[str, str], groups: Groups, *, later: bool
) -> Iterator[str]:
    problem = handles.naming_problem(name)
    if name in groups and is_wildcard(name):
        yield (
            f"{where}: {quoted(name)} is a wildcard group; list the names below it that clients may use, "
            f"such as {quoted(name.replace('*', 'NAME'))}"
        )
    elif name in aliases:
        yield f"{where}: {quoted(name)} is a model_group_alias; make it a model_name of model_list instead"
    elif problem:
        yield f"{where}: {problem}"
    elif name not in groups and groups and not later:  # an empty model_list is one mistake
        yield _unknown(where, name, groups)
    elif name not in groups:
        yield Caution(f"{where}: {quoted(name)} is served once a model of LiteLLM's database has that name")


def _unknown(where: str, name: str, groups: Groups) -> str:
    right = did_you_mean(name, groups)
    return f"{where}: {quoted(name)} is not a model_name of model_list ({_known(groups)}){right}"


def _known(groups: Groups) -> str:
    return f"known: {', '.join(groups) or 'none'}"


def _target_problems(router: RouterFile, placed: frozenset[str | None], groups: Groups) -> Iterator[str]:
    names = {one for name in groups for one in (name, name.partition("/")[2])}
    for where, source, targets in (*router.fallbacks, *router.leads):
        if source != "*" and source not in names:
            yield _unknown(where, source, groups)
        for target in targets:
            if target not in groups:
                step = f"{where}: {source} -> {quoted(target)}"
                right = did_you_mean(target, groups)
                yield f"{step}: not a model_name of model_list ({_known(groups)}){right}"
            elif target not in placed:
                yield (
                    f"{where}: {source} -> {quoted(target)} leads to a backroom model; "
                    "add it to homelab.showroom.internal or remove it here"
                )


def _registry_problems(
    settings: Settings, places: list[Place], groups: Groups, folder: Path
) -> Iterator[str]:
    """Where a name's model is in the registry, its files must lie in the roots."""
    showroom = settings.homelab.showroom
    if any(is_unset(root) for root in showroom.roots):
        return  # reported already, and everything would seem to be outside
    if showroom.registry and not showroom.roots:
        yield "homelab.showroom.roots: missing; with a registry it says which folders are showroom storage"
        return
    for where, name in places:
        for model in sorted({one.upstream_model for one in groups.get(name, ())}):
            entry = settings.registry.get(model)
            if entry and not registry.inside(entry.path, showroom.roots, folder):
                yield (
                    f"{where}: {quoted(name)} is backroom: the files of its model {quoted(model)} are at "
                    f"{_spot(entry.path, folder)}, outside of homelab.showroom.roots "
                    f"({', '.join(showroom.roots)}); move them, or remove the name"
                )


def _spot(path: str, folder: Path) -> str:
    """The path as written and, where links or `..` lead elsewhere, the place itself."""
    place = registry.resolved(path, folder)
    return path if place == Path.cwd() / folder / path else f"{path} (that is {place})"
