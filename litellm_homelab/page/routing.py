"""The routing map: who calls what, what stands behind it, OptiLLM's way back, and what was refused lately."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from litellm_homelab.decision import RefusalType
from litellm_homelab.page import states
from litellm_homelab.page.facts import Facts, SeenRefusal

RECENT: Final = 3600
"""Seconds for which a refusal is an edge of the map."""
EVERY: Final = "every name"
"""The node for callers without a list of handles."""
NO_NAME: Final = "no such name"
"""The node for refusals that are about no handle."""
MASTER: Final = "master key"


@dataclass(frozen=True, slots=True)
class Node:
    """
    A box of the map; `kind` is caller, any, handle, internal, backend or nothing.

    A map of a file (`drawing`) also has boxes that no client may call: backroom, unset and missing.
    """

    id: str
    kind: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow; `kind` is uses, falls_back, served_by, calls_back or refused."""

    source: str
    target: str
    kind: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Map:
    """Boxes and arrows."""

    nodes: tuple[Node, ...]
    edges: tuple[Arrow, ...]


def drawn(facts: Facts) -> Map:
    """The map of facts; an arrow leads from a box to a box, and no caller is alone."""
    nodes = [*_nodes(facts)]
    known = {one.id for one in nodes}
    refused = [one for one in _refused(facts) if one.source in known]
    if any(one.target == any_id(NO_NAME) for one in refused):
        nodes.append(Node(any_id(NO_NAME), "nothing", NO_NAME, ""))
        known.add(any_id(NO_NAME))
    every = dict.fromkeys((*_uses(facts), *_chains(facts), *_served(facts), *_back(facts), *refused))
    edges = tuple(one for one in every if {one.source, one.target} <= known)
    ends = {end for one in edges for end in (one.source, one.target)}
    return Map(tuple(one for one in nodes if one.kind != "caller" or one.id in ends), edges)


def _nodes(facts: Facts) -> Iterator[Node]:
    yield Node(caller_id("master"), "caller", MASTER, "")
    for name, role, _ in facts.shown.callers:
        if role in {"client", "optillm", "admin"}:
            yield Node(caller_id(name), "caller", name, "")
    yield Node(any_id(EVERY), "any", EVERY, "")
    for name, _, place in facts.shown.handles:
        kind = "handle" if place == "hidden" else place
        yield Node(group_id(name), kind, name, states.handle_state(facts, name).value)
    used = {one.backend for one in facts.deployed}
    for one in facts.backends:
        if one.name in used:
            yield Node(backend_id(one.name), "backend", one.name, states.shown_state(facts, one))


def _uses(facts: Facts) -> Iterator[Arrow]:
    yield Arrow(caller_id("master"), any_id(EVERY), "uses")
    for name, role, handles in facts.shown.callers:
        if role == "optillm":
            continue  # its calls are OptiLLM's way back
        if handles is None:
            yield Arrow(caller_id(name), any_id(EVERY), "uses")
        else:
            yield from (Arrow(caller_id(name), group_id(one), "uses") for one in handles)


def _chains(facts: Facts) -> Iterator[Arrow]:
    for name, chain in facts.shown.chains.items():
        for source, target in zip((name, *chain), chain, strict=False):
            yield Arrow(group_id(source), group_id(target), "falls_back")


def _served(facts: Facts) -> Iterator[Arrow]:
    for one in facts.deployed:
        note = "the model is not there" if one.is_missing else ""
        yield Arrow(group_id(one.group), backend_id(one.backend), "served_by", note)


def _back(facts: Facts) -> Iterator[Arrow]:
    """From the OptiLLM of a handle to the names that it calls back."""
    for lane, names in facts.shown.calls_back.items():
        for backend in states.backends_of(facts, [lane]):
            yield from (Arrow(backend_id(backend), group_id(one), "calls_back") for one in names)


def _refused(facts: Facts) -> Iterator[Arrow]:
    known = {name for name, _, _ in facts.shown.handles}
    for one in facts.worker.refusals:
        if facts.at - one.at >= RECENT:
            continue
        if one.handle in known:
            yield Arrow(_who(facts, one), group_id(str(one.handle)), "refused", one.type)
        elif one.type == RefusalType.MODEL_NOT_FOUND:
            yield Arrow(_who(facts, one), any_id(NO_NAME), "refused", one.type)


def _who(facts: Facts, refused: SeenRefusal) -> str:
    """A loop's arrow leads from OptiLLM back to the handle."""
    handle = refused.handle
    if refused.type == RefusalType.LOOP_DETECTED and handle is not None and handle in facts.shown.calls_back:
        backends = states.backends_of(facts, [handle])
        if backends:
            return backend_id(backends[0])
    return caller_id(refused.caller)


def caller_id(name: str) -> str:
    """The id of the box of a caller."""
    return f"caller:{name}"


def group_id(name: str) -> str:
    """The id of the box of a name that is served."""
    return f"group:{name}"


def backend_id(name: str) -> str:
    """The id of the box of a backend."""
    return f"backend:{name}"


def any_id(name: str) -> str:
    """The id of the box of `EVERY` or `NO_NAME`."""
    return f"any:{name}"
