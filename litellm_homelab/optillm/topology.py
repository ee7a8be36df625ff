"""The routing graph, and whether a request can come round to where it was."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from litellm_homelab.config.deployments import upstream_name
from litellm_homelab.optillm.addresses import Address, address_of
from litellm_homelab.optillm.approaches import eaten_by_optillm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OPTILLM: Final = "OptiLLM"
GATEWAY: Final = "this gateway"
"""How a path names what a request goes through between two groups."""

EVERY_GROUP: Final = "*"
"""The key under which LiteLLM keeps the fallbacks of every group."""

Edge: TypeAlias = tuple[str | None, str]
"""Where a request goes next: what it passes on the way (None within the router), and the group."""


@dataclass(frozen=True, slots=True)
class RoutingEntry:
    """One entry of `model_list` as far as routing goes: `model` as written, `api_base` resolved."""

    model: str
    api_base: str | None = None
    custom_provider: str = ""
    """`custom_llm_provider`, with which the model may have no prefix that is a provider."""


@dataclass(frozen=True)
class Graph:
    """
    All that decides where a request can go.

    `fallbacks` has those of every kind, merged; `*` means every group. `optillm` are the groups whose
    OptiLLM calls this gateway back; a deployment at the address of one of theirs is OptiLLM wherever it
    stands. `own` are this gateway's addresses.
    """

    groups: Mapping[str, Sequence[RoutingEntry]]
    optillm: frozenset[str]
    own: frozenset[Address]
    fallbacks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def lanes(self) -> frozenset[Address]:
        """The addresses at which OptiLLM listens, as its handles' deployments say."""
        deployments = (each for name in self.optillm for each in self.groups.get(name, ()))
        found = (address_of(each.api_base) for each in deployments if each.api_base)
        return frozenset(address for address in found if address and address not in self.own)

    def edges(self, name: str) -> Iterator[Edge]:
        """Everywhere that a request for `name` can go next."""
        if name in self.aliases and name not in self.groups:
            yield None, self.aliases[name]
        for pattern in self._groups_of(name):
            for deployment in self.groups[pattern]:
                yield from self.calls(pattern, name, deployment)
            for target in (*self.fallbacks.get(pattern, ()), *self.fallbacks.get(EVERY_GROUP, ())):
                yield None, target

    def _groups_of(self, name: str) -> list[str]:
        if name in self.groups:
            return [name]
        return [group for group in self.groups if "*" in group and fnmatchcase(name, group)]

    def calls(self, group: str, name: str, deployment: RoutingEntry) -> Iterator[Edge]:
        """What a deployment of a group calls back for a request for `name`: one edge, or none."""
        address = address_of(deployment.api_base) if deployment.api_base else None
        asked = deployment.model if "*" not in deployment.model else name
        if address in self.own:
            yield GATEWAY, upstream_name(asked, deployment.custom_provider)
        elif group in self.optillm or address in self.lanes:
            yield OPTILLM, base_model(asked, deployment.custom_provider)


def find_cycle(graph: Graph) -> tuple[str, ...] | None:
    """
    Return the shortest loop through OptiLLM, or through this gateway's own address; None without one.

    The first and the last step are the same name: `("boost", "OptiLLM", "boost")`. Fallbacks that go round
    inside the router alone are not reported: LiteLLM bounds those (`max_fallbacks`).
    """
    return min(find_cycles(graph), key=len, default=None)


def find_cycles(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """As `find_cycle`: of every name the shortest loop, each loop once, wherever it begins."""
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for name in graph.groups:
        for cycle in _cycles_from(graph, name):
            found.setdefault(frozenset(cycle), cycle)
    return tuple(found.values())


def written(path: Sequence[str]) -> str:
    """Return a path as it is printed: `boost -> OptiLLM -> boost`."""
    return " -> ".join(path)


def base_model(model: str, custom_provider: str = "") -> str:
    """
    Return the name that OptiLLM asks back for, given a deployment's model.

    The provider comes off, then every approach at the start, as `parse_combined_approach` does it.
    """
    name = upstream_name(model, custom_provider)
    while eaten_by_optillm(name):
        name = name.partition("-")[2]
    return name


def _cycles_from(graph: Graph, start: str) -> Iterator[tuple[str, ...]]:
    for via, target in graph.edges(start):
        if via is not None:
            back = _shortest(graph, target, start)
            if back is not None:
                yield (start, via, *back)


def _shortest(graph: Graph, start: str, goal: str) -> tuple[str, ...] | None:
    """Search breadth first, each name once; what is passed on the way comes between the names."""
    queue: deque[tuple[str, tuple[str, ...]]] = deque([(start, (start,))])
    seen = {start}
    while queue:
        name, path = queue.popleft()
        if name == goal:
            return path
        for via, target in graph.edges(name):
            if target not in seen:
                seen.add(target)
                queue.append((target, (*path, target) if via is None else (*path, via, target)))
    return None
