"""What the checked settings say of names, chains, callers and backends, for the page and for `map`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from litellm_homelab.config.wildcards import is_wildcard
from litellm_homelab.optillm import topology
from litellm_homelab.page.facts import BackendFacts, Deployed

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings


def placed(settings: Settings, discovered: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """(name, place) of every name that is served, each once in its place; wildcards are left out."""
    showroom = settings.homelab.showroom
    for place, names in (
        ("handle", (*settings.handles, *discovered)),
        ("hidden", showroom.hidden),
        ("internal", showroom.internal),
    ):
        yield from ((name, place) for name in dict.fromkeys(names) if not is_wildcard(name))


def chains(settings: Settings, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The groups that are tried after a group, in order; `default_fallbacks` is for each of `names`."""
    found = {source: targets for _, source, targets in reversed(settings.router.fallbacks)}
    every = found.pop(topology.EVERY_GROUP, ())
    if every:
        found = {name: every for name in names if name not in every} | found
    return found


def callers(settings: Settings) -> tuple[tuple[str, str, tuple[str, ...] | None], ...]:
    """(name, role, handles) of each caller; handles are None where it may use all."""
    return tuple(
        (name, one.role, None if one.handles is None else tuple(one.handles))
        for name, one in settings.homelab.callers.items()
    )


def calls_back(settings: Settings) -> dict[str, tuple[str, ...]]:
    """OptiLLM handles, each with the names that OptiLLM calls back for it."""
    return {
        name: tuple(
            topology.base_model(one.model, one.custom_provider)
            for one in settings.router.groups.get(name, ())
        )
        for name, lane in settings.homelab.optillm.items()
        if lane.carrier == "model"
    }


def backends(settings: Settings, deployed: Iterable[Deployed]) -> Iterator[BackendFacts]:
    """The configured backends, then those that deployments have without one."""
    sections, lanes = settings.homelab.backends, settings.homelab.optillm
    for name, one in sections.items():
        wakes = one.wake is not None and one.presence is not None and one.presence.on_absent == "wake"
        followed = one.presence is not None
        yield BackendFacts(name, one.kind, followed, wakes, one.slots, queue=one.queue.length)
    every = tuple(deployed)
    for name in dict.fromkeys(one.backend for one in every if one.backend not in sections):
        is_optillm = any(one.backend == name and one.group in lanes for one in every)
        yield BackendFacts(name, "optillm" if is_optillm else "openai")
