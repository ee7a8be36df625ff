"""The map with what is wrong in it: arrows of a loop, and arrows into names that no client may call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from litellm_homelab.drawing.reading import BACKROOM, MISSING, FileMap
from litellm_homelab.optillm import topology
from litellm_homelab.page import routing
from litellm_homelab.page.routing import Arrow, Map, Node, backend_id, group_id

if TYPE_CHECKING:
    from litellm_homelab.optillm.topology import Graph

Step: TypeAlias = tuple[str, bool, str]
"""A name, whether its server calls back, and the name that comes next."""


class EdgeMark(StrEnum):
    """What is wrong with an arrow."""

    LOOP = "LOOP"
    BACKROOM = "BACKROOM"
    """It leads to a group that is in none of the showroom's lists."""
    MISSING = "MISSING"
    """It leads to a name that no deployment has."""
    HIDDEN = "HIDDEN"
    """A chain or OptiLLM leads to a hidden name: those are for scripts that ask for one exact model."""


MEANING: Final[Mapping[EdgeMark, str]] = {
    EdgeMark.LOOP: "a request comes back to where it was",
    EdgeMark.BACKROOM: "in none of the showroom's lists",
    EdgeMark.MISSING: "not a model_name of model_list",
    EdgeMark.HIDDEN: "a hidden name, which is for scripts that ask for one exact model",
}


@dataclass(frozen=True)
class MarkedMap:
    """Boxes and arrows of a file, what is wrong with arrows, and each loop as a path."""

    map: Map
    marks: Mapping[Arrow, EdgeMark]
    loops: tuple[tuple[str, ...], ...]
    places: Mapping[str, str]
    kinds: Mapping[str, str] = field(default_factory=dict)
    """By backend: what server it is."""

    @cached_property
    def boxes(self) -> Mapping[str, Node]:
        """Boxes by their id."""
        return {one.id: one for one in self.map.nodes}

    def label(self, node: Node) -> str:
        """The text of a box: its name, and its place where that is not the listing, or what server it is."""
        if node.kind == "backend":
            kind = self.kinds.get(node.name, PLAIN)
            return node.name if kind == PLAIN else f"{node.name} ({kind})"
        place = self.places.get(node.name, "handle") if node.id == group_id(node.name) else "handle"
        return node.name if place == "handle" else f"{node.name} ({WORDS.get(place, place)})"

    def sentences(self) -> Iterator[tuple[EdgeMark, str]]:
        """What is marked, in words, each loop once."""
        yield from ((EdgeMark.LOOP, topology.written(one)) for one in self.loops)
        for arrow, mark in self.marks.items():
            if mark is not EdgeMark.LOOP:
                ends = self.boxes[arrow.source].name, self.boxes[arrow.target].name
                yield mark, f"{ends[0]} {VERBS[arrow.kind]} {ends[1]}: {MEANING[mark]}"


VERBS: Final[Mapping[str, str]] = {
    "uses": "uses",
    "falls_back": "falls back to",
    "served_by": "is served by",
    "calls_back": "calls back",
    "refused": "was refused",
}
"""How an arrow is said; as the page says it."""
WORDS: Final = {"unset": "not set here"}
PLAIN: Final = "openai"
"""The kind of a server of which nothing more is known."""


def marked(found: FileMap) -> MarkedMap:
    """The map of a file: the page's, with the arrows that only a map of a file needs."""
    drawn = routing.drawn(found.facts)
    known = {one.id for one in drawn.nodes}
    more = [one for one in (*_further_chains(found), *_ways_back(found)) if {one.source, one.target} <= known]
    ends = {(one.source, one.target, one.kind) for one in drawn.edges}
    new = [one for one in more if (one.source, one.target, one.kind) not in ends]
    whole = replace(drawn, edges=(*drawn.edges, *dict.fromkeys(new)))
    loops = topology.find_cycles(found.graph)
    looping = _looping(found, tuple(found.places)) if loops else frozenset[Step]()
    marks = dict(_wrong_ends(found, whole)) | dict.fromkeys(_of_loops(found, whole, looping), EdgeMark.LOOP)
    ordered = {one: marks[one] for one in whole.edges if one in marks}
    kinds = {one.name: one.kind for one in found.facts.backends}
    return MarkedMap(whole, ordered, loops, found.places, kinds)


# --- arrows ------------------------------------------------------------------------------------------


def _further_chains(found: FileMap) -> Iterator[Arrow]:
    """What the page does not draw: the other lists of fallbacks, and what deployments' parameters lead to."""
    router, chains = found.settings.router, found.facts.shown.chains
    for name in found.places:
        sources = router.sources(name)
        for where, source, targets in (*router.fallbacks, *router.leads):
            if source not in sources:
                continue
            setting = where.rpartition(".")[2].partition("[")[0]
            for target in map(found.called, targets):
                if target not in (name, *chains.get(name, ())):
                    yield Arrow(group_id(name), group_id(target), "falls_back", setting)


def _ways_back(found: FileMap) -> Iterator[Arrow]:
    for name, backend, target in _calls(found):
        if name in found.places:
            yield Arrow(backend_id(backend), group_id(target), "calls_back")


def _calls(found: FileMap) -> Iterator[tuple[str, str, str]]:
    """(name, backend, name that it calls back) of every deployment that leads back to this gateway."""
    for one, backend in found.deployments():
        entry = topology.RoutingEntry(one.model, one.api_base or None, one.custom_provider)
        for _, target in found.graph.calls(one.group, one.group, entry):
            yield one.group, backend, found.called(target)


# --- marks -------------------------------------------------------------------------------------------


def _wrong_ends(found: FileMap, whole: Map) -> Iterator[tuple[Arrow, EdgeMark]]:
    names = {group_id(name): place for name, place in found.places.items()}
    for one in whole.edges:
        place = names.get(one.target, "")
        if place == BACKROOM:
            yield one, EdgeMark.BACKROOM
        elif place == MISSING:
            yield one, EdgeMark.MISSING
        elif place == "hidden" and one.kind in {"falls_back", "calls_back"}:
            yield one, EdgeMark.HIDDEN


def _of_loops(found: FileMap, whole: Map, looping: frozenset[Step]) -> Iterator[Arrow]:
    """The arrows of steps that lead round: of a chain all arrows up to its group."""
    pairs: set[tuple[str, str]] = set()
    for name, chain in found.facts.shown.chains.items():
        last = max((n for n, one in enumerate(chain, 1) if (name, False, one) in looping), default=0)
        steps = zip((name, *chain)[:last], chain[:last], strict=True)
        pairs |= {(group_id(source), group_id(target)) for source, target in steps}
    pairs |= {(group_id(source), group_id(target)) for source, back, target in looping if not back}
    for name, backend, target in _calls(found):
        if (name, True, target) in looping:
            pairs |= {(group_id(name), backend_id(backend)), (backend_id(backend), group_id(target))}
    yield from (one for one in whole.edges if (one.source, one.target) in pairs and one.kind != "uses")


def _looping(found: FileMap, names: tuple[str, ...]) -> frozenset[Step]:
    """The steps between names that lead back to where they begin, by way of a server that calls back."""
    steps = {name: tuple(_steps(found, found.graph, name)) for name in names}
    reached = {name: _reached(steps, name) for name in names}
    inner = {
        (name, back, target)
        for name in names
        for back, target in steps[name]
        if name in reached.get(target, ())
    }
    through = {name for name, back, _ in inner if back}
    return frozenset(
        (name, back, target)
        for name, back, target in inner
        if any(one in reached[name] and name in reached[one] for one in through)
    )


def _steps(found: FileMap, graph: Graph, name: str) -> Iterator[tuple[bool, str]]:
    for via, target in graph.edges(name):
        yield via is not None, found.called(target)


def _reached(steps: Mapping[str, tuple[tuple[bool, str], ...]], start: str) -> frozenset[str]:
    seen, todo = {start}, [start]
    while todo:
        new = [target for _, target in steps.get(todo.pop(), ()) if target not in seen]
        seen.update(new)
        todo += new
    return frozenset(seen)
