"""What is wrong with `homelab.backends` and `homelab.priorities`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

from litellm_homelab.backends.keep_alive import PROVIDERS
from litellm_homelab.backends.rule import Backends, Server, place
from litellm_homelab.config.findings import Caution
from litellm_homelab.config.references import is_unset
from litellm_homelab.config.wording import did_you_mean, quoted
from litellm_homelab.optillm.topology import base_model
from litellm_homelab.showroom.discovery import Discovery

if TYPE_CHECKING:
    from litellm_homelab.config.deployments import Deployment
    from litellm_homelab.config.sections import BackendSection
    from litellm_homelab.config.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the two sections, in words."""
    sections = settings.homelab.backends
    for name, section in sections.items():
        where = f"homelab.backends.{name}"
        yield from _shape(where, section)
        yield from _unknown_groups(where, section, settings)
        yield from _without_deployments(where, section, settings)
    yield from _overlaps(settings)
    yield from _waiting_for_itself(settings)
    yield from _priorities(settings)
    yield from _keep_alive(settings)


def server_of(deployment: Deployment) -> Server:
    """The server of an entry of `model_list`."""
    key = deployment.params.get("api_key") or deployment.params.get("litellm_credential_name")
    url = "" if is_unset(deployment.api_base) else deployment.api_base
    return Server(deployment.group, deployment.provider, url, str(key or ""))


def _shape(where: str, section: BackendSection) -> Iterator[str]:
    if bool(section.at) == bool(section.groups):
        yield f"{where}: needs either at (addresses) or groups (names of model_list); set one of the two"
    for number, url in enumerate(section.at):
        if place(url) is None:
            yield (
                f"{where}.at[{number}]: {quoted(url)} is not an address such as http://127.0.0.1:8000, with "
                "or without a path"
            )
    yield from _waking(where, section)
    if section.slots is None and "queue" in section.model_fields_set:
        yield f"{where}.queue: has no effect without slots; set {where}.slots, or remove it"


def _waking(where: str, section: BackendSection) -> Iterator[str]:
    """Presence and wake settings that would do nothing."""
    wakes = section.presence is not None and section.presence.on_absent == "wake"
    if section.wake is None:
        if wakes:
            yield f"{where}.presence.on_absent: wake needs {where}.wake with mac, url or command"
        return
    if not wakes:
        yield f"{where}.wake: acts only with {where}.presence.on_absent: wake; set that, or remove it"
    given = [name for name in ("mac", "url", "command") if getattr(section.wake, name)]
    if len(given) != 1:
        got = " and ".join(given) or "none of them"
        yield f"{where}.wake: needs exactly one of mac, url and command, got {got}"
    if section.wake.to is not None and section.wake.mac is None:
        yield f"{where}.wake.to: is where a magic packet goes; set {where}.wake.mac, or remove it"
    if section.kind in {"cloud", "optillm"}:
        yield f"{where}.wake: a {section.kind} is never probed, so its waking is never seen; remove it"


def _unknown_groups(where: str, section: BackendSection, settings: Settings) -> Iterator[str]:
    known = settings.router.groups
    for number, group in enumerate(section.groups):
        if group not in known and not settings.router.in_database:
            right = did_you_mean(group, known)
            yield f"{where}.groups[{number}]: {quoted(group)} is not a model_name of model_list{right}"


def _without_deployments(where: str, section: BackendSection, settings: Settings) -> Iterator[str]:
    """Addresses at which there is nothing: a misspelt one would switch the limit off without a word."""
    deployments = settings.router.deployments
    known = [found for one in deployments if (found := server_of(one).place) is not None]
    later = settings.router.in_database or any(is_unset(one.api_base) for one in deployments)
    for number, url in enumerate(section.at):
        found = place(url)
        if found is None or any(found.covers(one) for one in known):
            continue
        there = ", ".join(dict.fromkeys(one.api_base for one in deployments if place(one.api_base))) or "none"
        text = f"{where}.at[{number}]: no deployment of model_list is at {quoted(url)} (addresses: {there})"
        yield Caution(text) if later else text


def _overlaps(settings: Settings) -> Iterator[str]:
    """Places and groups that belong to two backends, and deployments that do through both."""
    sections = settings.homelab.backends.items()
    places = [
        (f"homelab.backends.{name}.at[{number}]", url, found)
        for name, one in sections
        for number, url in enumerate(one.at)
        if (found := place(url)) is not None
    ]
    for (first, _, one), (second, url, other) in combinations(places, 2):
        if one.covers(other) or other.covers(one):
            yield f"{second}: {quoted(url)} overlaps with {first}; a deployment belongs to one backend"
    seen: dict[str, str] = {}
    for name, section in sections:
        for number, group in enumerate(section.groups):
            where = f"homelab.backends.{name}.groups[{number}]"
            if seen.setdefault(group, where) != where:
                yield f"{where}: {quoted(group)} is at {seen[group]} already; a group belongs to one backend"
    backends = Backends(settings.homelab.backends)
    for group, deployments in settings.router.groups.items():
        names = {name for one in deployments for name in backends.configured(server_of(one))}
        if len(names) > 1 and group in seen:
            others = ", ".join(sorted(names - {seen[group].split(".")[2]}))
            yield f"{seen[group]}: deployments of {quoted(group)} belong to {others} by their address"


def _waiting_for_itself(settings: Settings) -> Iterator[str]:
    """
    OptiLLM handles whose attempt and whose children share slots.

    A root would hold a slot for which its children wait; with as many roots as slots, none can finish.
    """
    sections, router = settings.homelab.backends, settings.router
    backends = Backends(sections)
    limited = {name for name, one in sections.items() if one.slots is not None}
    for lane in settings.homelab.optillm if limited else ():
        for deployment in router.groups.get(lane, ()):
            own = backends.of(server_of(deployment))
            asked = base_model(deployment.model, deployment.custom_provider)
            shared = (
                group
                for group in sorted(router.reachable(asked))
                for one in router.groups.get(group, ())
                if backends.of(server_of(one)) == own
            )
            group = next(shared, None) if own in limited else None
            if group is not None:
                yield (
                    f"homelab.backends.{own}: {quoted(lane)} goes to OptiLLM there, whose calls back go to "
                    f"{quoted(group)} on the same backend: they would wait for the slot that their own "
                    "request holds; leave OptiLLM's address out of it"
                )


def _priorities(settings: Settings) -> Iterator[str]:
    showroom = settings.homelab.showroom
    names = (*settings.handles, *showroom.hidden, *showroom.internal)
    discovery = Discovery(settings)
    for name in settings.homelab.priorities:
        if name not in names and discovery.backend_of(name) is None:
            right = did_you_mean(name, names)
            yield f"homelab.priorities: {quoted(name)} is not a name of the showroom{right}"


def _keep_alive(settings: Settings) -> Iterator[str]:
    """Handles that do not exist, and those that no Ollama serves, where the setting would do nothing."""
    showroom, groups = settings.homelab.showroom, settings.router.groups
    names = (*settings.handles, *showroom.hidden, *showroom.internal)
    discovery = Discovery(settings)
    for name in settings.homelab.keep_alive:
        backend = discovery.backend_of(name)
        if name not in names and backend is None:
            right = did_you_mean(name, names)
            yield f"homelab.keep_alive: {quoted(name)} is not a name of the showroom{right}"
            continue
        group = name if backend is None else showroom.discover[backend].group
        providers = sorted({one.provider for one in groups.get(group, ())})
        if providers and PROVIDERS.isdisjoint(providers):
            yield (
                f"homelab.keep_alive: {quoted(name)} is served through {', '.join(providers)}/, which takes "
                "no keep_alive; for an Ollama write ollama_chat/<model> in litellm_params"
            )
