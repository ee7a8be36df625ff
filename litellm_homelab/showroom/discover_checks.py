"""What is wrong with `homelab.showroom.discover`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from litellm_homelab.backends.checks import server_of
from litellm_homelab.backends.kinds import LISTING
from litellm_homelab.backends.rule import Backends
from litellm_homelab.config.wildcards import STAR, is_wildcard
from litellm_homelab.config.wording import did_you_mean, quoted

if TYPE_CHECKING:
    from litellm_homelab.config.settings import Settings


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the section, in words."""
    for name, section in settings.homelab.showroom.discover.items():
        where = f"homelab.showroom.discover.{name}"
        yield from _backend(where, name, settings)
        yield from _group(where, name, section.group, settings)


def _backend(where: str, name: str, settings: Settings) -> Iterator[str]:
    """The backend must be one that is asked for its list, and whose list is complete."""
    section = settings.homelab.backends.get(name)
    if section is None:
        known = ", ".join(settings.homelab.backends) or "none"
        right = did_you_mean(name, settings.homelab.backends)
        yield f"{where}: {quoted(name)} is not a name of homelab.backends (known: {known}){right}"
        return
    if section.kind not in LISTING:
        yield (
            f"{where}: the list of a backend of kind {section.kind} does not say which models it has; set "
            f"homelab.backends.{name}.kind to one of {', '.join(LISTING)}, or remove this section"
        )
    if section.presence is None:
        yield (
            f"{where}: the backend is not asked for its models; add "
            f"homelab.backends.{name}.presence: {{probe_seconds: 15}}"
        )


def _group(where: str, backend: str, group: str, settings: Settings) -> Iterator[str]:
    """The group must be a wildcard that sends the name that the backend lists, to that backend."""
    deployments = settings.router.groups.get(group, ())
    if not deployments:
        known = [one for one in settings.router.groups if is_wildcard(one)]
        right = did_you_mean(group, known)
        among = ", ".join(known) or "none"
        yield f"{where}.group: {quoted(group)} is not a wildcard group of model_list (known: {among}){right}"
        return
    if group.count(STAR) != 1:
        yield f"{where}.group: expected a name with one *, such as ollama/*, got {quoted(group)}"
        return
    backends = Backends(settings.homelab.backends)
    for one in deployments:
        if one.upstream_model != STAR or not one.provider:
            yield (
                f"{where}.group: litellm_params.model of {quoted(group)} is {quoted(one.model)}; it must "
                "be a provider and the name that the backend lists, such as ollama/*"
            )
        if not one.api_base:
            yield (
                f"{where}.group: a deployment of {quoted(group)} has no api_base, so that the environment "
                f"would choose the server; add the address of {quoted(backend)}, whose models become handles"
            )
            continue
        own = backends.of(server_of(one))
        if backend in settings.homelab.backends and own != backend:
            yield (
                f"{where}.group: a deployment of {quoted(group)} belongs to the backend {quoted(own)}; all "
                f"of them must be at {quoted(backend)}, whose models become handles"
            )
