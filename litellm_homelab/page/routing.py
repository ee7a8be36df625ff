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
    """A box of the map; `kind` is caller, any, handle, internal, backend or nothing."""

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
    if any(one.target == _any_id(NO_NAME) for one in refused):
        nodes.append(Node(_any_id(NO_NAME), "nothing", NO_NAME, ""))
        known.add(_any_id(NO_NAME))
    every = dict.fromkeys((*_uses(facts), *_chains(facts), *_served(facts), *_back(facts), *refused))
    edges = tuple(one for one in every if {one.source, one.target} <= known)
    ends = {end for one in edges for end in (one.source, one.target)}
    return Map(tuple(one for one in nodes if one.kind != "caller" or one.id in ends), edges)


def _nodes(facts: Facts) -> Iterator[Node]:
    yield Node(_caller_id("master"), "caller", MASTER, "")
    for name, role, _ in facts.shown.callers:
        if role in {"client", "optillm", "admin"}:
            yield Node(_caller_id(name), "caller", name, "")
    yield Node(_any_id(EVERY), "any", EVERY, "")
    for name, _, place in facts.shown.handles:
        kind = "internal" if place == "internal" else "handle"
        yield Node(_group_id(name), kind, name, states.handle_state(facts, name).value)
    used = {one.backend for one in facts.deployed}
    for one in facts.backends:
        if one.name in used:
            yield Node(_backend_id(one.name), "backend", one.name, states.backend_state(facts, one.name))


def _uses(facts: Facts) -> Iterator[Arrow]:
    yield Arrow(_caller_id("master"), _any_id(EVERY), "uses")
    for name, role, handles in facts.shown.callers:
        if role == "optillm":
            continue  # its calls are OptiLLM's way back
        if handles is None:
            yield Arrow(_caller_id(name), _any_id(EVERY), "uses")
        else:
            yield from (Arrow(_caller_id(name), _group_id(one), "uses") for one in handles)


def _chains(facts: Facts) -> Iterator[Arrow]:
    for name, chain in facts.shown.chains.items():
        for source, target in zip((name, *chain), chain, strict=False):
            yield Arrow(_group_id(source), _group_id(target), "falls_back")


def _served(facts: Facts) -> Iterator[Arrow]:
    for one in facts.deployed:
        note = "the model is not there" if one.is_missing else ""
        yield Arrow(_group_id(one.group), _backend_id(one.backend), "served_by", note)


def _back(facts: Facts) -> Iterator[Arrow]:
    """From the OptiLLM of a handle to the names that it calls back."""
    for lane, names in facts.shown.calls_back.items():
        for backend in states.backends_of(facts, [lane]):
            yield from (Arrow(_backend_id(backend), _group_id(one), "calls_back") for one in names)


def _refused(facts: Facts) -> Iterator[Arrow]:
    known = {name for name, _, _ in facts.shown.handles}
    for one in facts.worker.refusals:
        if facts.at - one.at >= RECENT:
            continue
        if one.handle in known:
            yield Arrow(_who(facts, one), _group_id(str(one.handle)), "refused", one.type)
        elif one.type == RefusalType.MODEL_NOT_FOUND:
            yield Arrow(_who(facts, one), _any_id(NO_NAME), "refused", one.type)


def _who(facts: Facts, refused: SeenRefusal) -> str:
    """A loop's arrow leads from OptiLLM back to the handle."""
    handle = refused.handle
    if refused.type == RefusalType.LOOP_DETECTED and handle is not None and handle in facts.shown.calls_back:
        backends = states.backends_of(facts, [handle])
        if backends:
            return _backend_id(backends[0])
    return _caller_id(refused.caller)


def _caller_id(name: str) -> str:
    return f"caller:{name}"


def _group_id(name: str) -> str:
    return f"group:{name}"


def _backend_id(name: str) -> str:
    return f"backend:{name}"


def _any_id(name: str) -> str:
    return f"any:{name}"
