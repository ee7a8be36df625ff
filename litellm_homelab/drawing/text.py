"""The map as text: who does what to whom, a section for each kind of box."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from litellm_homelab.config.wording import one_line
from litellm_homelab.drawing.marking import MEANING, VERBS, MarkedMap
from litellm_homelab.formats.columns import aligned
from litellm_homelab.page.routing import Arrow, Node

SECTIONS: Final = (
    ("Callers", frozenset({"caller"})),
    ("Names", frozenset({"any", "handle", "internal", "backroom", "unset", "missing"})),
    ("Backends that call back", frozenset({"backend"})),
)
KINDS: Final = ("uses", "served_by", "falls_back", "calls_back")


def written(drawn: MarkedMap) -> str:
    """The whole map; what is wrong comes first."""
    return "\n".join(_lines(drawn)) + "\n"


def _lines(drawn: MarkedMap) -> Iterator[str]:
    sentences = [*drawn.sentences()]
    if sentences:
        yield "Wrong"
        yield from aligned([(mark.value, text) for mark, text in sentences], indent="  ")
        yield ""
    for title, kinds in SECTIONS:
        rows = [row for node in drawn.map.nodes if node.kind in kinds for row in _rows(drawn, node)]
        if rows:
            yield title
            yield from aligned(rows, indent="  ")
            yield ""
    used = dict.fromkeys(drawn.marks.values())
    yield (
        one_line(f"{_counted(drawn)}.")
        if not used
        else one_line(f"{_counted(drawn)}. " + "; ".join(f"{one}: {MEANING[one]}" for one in used) + ".")
    )


def _rows(drawn: MarkedMap, node: Node) -> Iterator[tuple[str, str, str]]:
    """(box, verb, targets): the box is named in its first row only."""
    label = drawn.label(node)
    for kind in KINDS:
        arrows = [one for one in drawn.map.edges if one.source == node.id and one.kind == kind]
        if arrows:
            joint = " or " if kind == "served_by" else ", "
            yield label, VERBS[kind], joint.join(_target(drawn, one) for one in arrows)
            label = ""


def _target(drawn: MarkedMap, arrow: Arrow) -> str:
    text = drawn.boxes[arrow.target].name
    text += f" ({arrow.note})" if arrow.note else ""
    return f"{text} [{drawn.marks[arrow]}]" if arrow in drawn.marks else text


def _counted(drawn: MarkedMap) -> str:
    names = sum(one in {"handle", "hidden", "internal"} for one in drawn.places.values())
    backends = sum(one.kind == "backend" for one in drawn.map.nodes)
    return f"{names} name{'s' * (names != 1)} on {backends} backend{'s' * (backends != 1)}"
