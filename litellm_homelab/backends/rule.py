"""Which backend a deployment belongs to: by its address, or by its group."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from litellm_homelab.attempts import address
from litellm_homelab.config.wildcards import group_for, is_wildcard
from litellm_homelab.optillm.addresses import host_of

if TYPE_CHECKING:
    from litellm_homelab.config.sections import BackendSection

Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port; every spelling of this machine's loopback is one host."""

DEFAULTS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("ollama", "ollama_chat"), "http://localhost:11434")
)
"""Where LiteLLM sends requests of local providers whose deployments have no address (1.106.2)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is, or everything below a path of it."""

    origin: Origin
    segments: tuple[str, ...] = ()

    def covers(self, other: Place) -> bool:
        """Whether `other` is this place, or below it: by whole segments of the path."""
        return self.origin == other.origin and other.segments[: len(self.segments)] == self.segments

    @property
    def name(self) -> str:
        """The origin as a URL."""
        scheme, host, port = self.origin
        return f"{scheme}://{host}:{port}"


def place(url: str) -> Place | None:
    """Where a URL leads; None for one that is not http(s), or that is not an address alone."""
    found = address.parse(url)
    if found is None or found.query:
        return None
    return Place((found.scheme, host_of(found.host), found.port), found.segments)


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of the server of a deployment."""

    group: str
    provider: str
    url: str = ""
    """Its `api_base`; empty where it has none."""
    credential: str = ""
    """Its key, or the name of its credential: deployments of one account share its limits."""

    @property
    def place(self) -> Place | None:
        """Where it is; None where that is not known."""
        return place(self.url or DEFAULTS.get(self.provider, ""))

    @property
    def name(self) -> str:
        """The name of its backend where nothing is configured: its origin, else its provider and account."""
        found = self.place
        if found is not None:
            return found.name
        if not self.credential:
            return self.provider
        return f"{self.provider}#{hashlib.sha256(self.credential.encode()).hexdigest()[:8]}"


class Backends:
    """The backends of `homelab.backends`, and by default one for each origin or account."""

    def __init__(self, sections: Mapping[str, BackendSection]) -> None:
        self._places = [
            (found, name)
            for name, one in sections.items()
            for url in one.at
            if (found := place(url)) is not None
        ]
        self._groups = {group: name for name, one in sections.items() for group in one.groups}

    def of(self, server: Server) -> str:
        """The name of the backend that a deployment belongs to."""
        return next(self.configured(server), server.name)

    def configured(self, server: Server) -> Iterator[str]:
        """The configured backends that a deployment belongs to: checked settings have one at most."""
        by_group = self._groups.get(server.group) or self._groups.get(self._wildcard(server.group) or "")
        if by_group is not None:
            yield by_group
        found = server.place
        if found is not None:
            yield from dict.fromkeys(
                name for where, name in self._places if where.covers(found) and name != by_group
            )

    def _wildcard(self, group: str) -> str | None:
        return group_for(group, filter(is_wildcard, self._groups))
