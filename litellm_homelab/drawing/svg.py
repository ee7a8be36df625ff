"""The map as an SVG picture: callers, names and backends in three columns; what is wrong is red."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from litellm_homelab.config.wording import one_line
from litellm_homelab.drawing.marking import VERBS, EdgeMark, MarkedMap
from litellm_homelab.formats.columns import cut, width
from litellm_homelab.page.routing import Arrow, Node

COLUMNS: Final = (
    ("Callers", frozenset({"caller"})),
    ("Names", frozenset({"any", "handle", "internal", "backroom", "unset", "missing"})),
    ("Backends", frozenset({"backend"})),
)
LONGEST: Final = 48
"""Cells of a name in a box; the whole of it is in its title."""
CHARACTER, BOX, STEP, TOP, MARGIN = 7.6, 26, 38, 34, 24
"""Pixels: a cell of a name, a box's height, from box to box, above the first, around the picture."""
GAP: Final = 210
"""Pixels between two columns, for the lines."""
BEND: Final = 30
BANNER: Final = 22
"""Pixels of a line above the picture that says what is wrong."""
STYLE: Final = """
text { font: 12.5px "DejaVu Sans", Verdana, sans-serif; fill: #1a1f29; }
.column, .legend { fill: #525b6b; font-size: 12px; }
rect { fill: #ffffff; stroke: #9aa5b8; stroke-width: 1.3; }
.caller, .any { fill: #eef1f6; }
.internal { stroke-dasharray: 4 3; }
.backend { fill: #f3f7ec; stroke: #8aa564; }
.backroom, .missing { stroke: #c00000; fill: #fdecec; }
path { fill: none; stroke: #8b95a7; stroke-width: 1.3; }
.falls_back { stroke: #a8670a; stroke-dasharray: 6 4; stroke-width: 1.8; }
.calls_back { stroke: #1d5fbf; stroke-dasharray: 2 4; stroke-width: 2.2; }
.wrong { stroke: #c00000; stroke-width: 3; stroke-dasharray: none; }
.end { stroke: none; fill: #8b95a7; }
.end.falls_back { fill: #a8670a; }
.end.calls_back { fill: #1d5fbf; }
.end.wrong { fill: #c00000; }
.word { fill: #c00000; font-weight: bold; font-size: 12px; text-anchor: middle; paint-order: stroke;
  stroke: #ffffff; stroke-width: 4px; }
.banner { fill: #c00000; font-weight: bold; font-size: 14px; }
"""
KINDS: Final = ("uses", "served_by", "falls_back", "calls_back", "wrong")
LEGEND: Final = (("falls_back", "falls back to"), ("calls_back", "calls back"), ("wrong", "wrong"))


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """Where a box is: its upper left corner, its column and the column's width."""

    node: Node
    column: int
    x: float
    y: float
    wide: float

    @property
    def middle(self) -> float:
        """The height at which lines end."""
        return self.y + BOX / 2


def written(drawn: MarkedMap) -> str:
    """The whole picture; it loads nothing and runs nothing."""
    banner = [f"{mark}: {text}" for mark, text in drawn.sentences()]
    top = TOP + MARGIN + BANNER * len(banner)
    boxes = _placed(drawn, top)
    right = max((one.x + one.wide for one in boxes.values()), default=0.0)
    wide = max(right + BEND, *(MARGIN + width(one_line(one)) * 9.5 for one in banner), 640.0) + MARGIN
    high = max((one.y for one in boxes.values()), default=float(top)) + BOX + 2 * MARGIN + 14
    size = f'width="{wide:.0f}" height="{high:.0f}" viewBox="0 0 {wide:.0f} {high:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Routing map">',
        f"<style>{STYLE}</style>",
        "<defs>",
        *(_end(kind) for kind in KINDS),
        "</defs>",
        f'<path style="fill:#fff;stroke:none" d="M0 0H{wide:.0f}V{high:.0f}H0z"/>',
        *(_text("banner", MARGIN, MARGIN + BANNER * number, text) for number, text in enumerate(banner, 0)),
        *_titles(boxes, top),
        *_arrows(drawn, boxes),
        *(line for box in boxes.values() for line in _box(drawn, box)),
        *_words(drawn, boxes),
        *_legend(drawn, high - MARGIN),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


# --- where boxes are ---------------------------------------------------------------------------------


def _placed(drawn: MarkedMap, top: float) -> dict[str, PlacedBox]:
    columns = [[one for one in drawn.map.nodes if one.kind in kinds] for _, kinds in COLUMNS]
    columns[1] = _names_in_order(drawn, columns[1])
    rows = {one.id: float(row) for row, one in enumerate(columns[1])}
    tallest = max(map(len, columns), default=1)
    found: dict[str, PlacedBox] = {}
    x = float(MARGIN + BEND)
    for number, nodes in enumerate(columns):
        wide = max((_wide(drawn, one) for one in nodes), default=0.0)
        ordered = nodes if number == 1 else sorted(nodes, key=lambda one: _height(drawn, one, rows))
        step = STEP * min(3.0, tallest / len(nodes)) if nodes else STEP
        for row, node in enumerate(ordered):
            found[node.id] = PlacedBox(node, number, x, top + row * step, wide)
        x += wide + GAP if nodes else 0.0
    return found


def _names_in_order(drawn: MarkedMap, nodes: Sequence[Node]) -> list[Node]:
    """As the showroom has them, each followed by the internal names that it leads to."""
    by_id, left = {one.id: one for one in nodes}, {one.id: one for one in nodes}
    ordered: list[Node] = []
    for node in sorted(nodes, key=lambda one: one.kind not in {"any", "handle"}):
        todo = [node.id]
        while todo:
            here = todo.pop(0)
            if here in left:
                ordered.append(left.pop(here))
                todo = [
                    one for one in _next_names(drawn, here) if by_id[one].kind not in {"any", "handle"}
                ] + todo
    return ordered


def _next_names(drawn: MarkedMap, source: str) -> Iterator[str]:
    """The names to which a name leads: its chain, and what its servers call back."""
    names = {one.id for one in drawn.map.nodes if one.kind in COLUMNS[1][1]}
    for arrow in drawn.map.edges:
        if arrow.source == source and arrow.target in names:
            yield arrow.target
        elif arrow.source == source and arrow.kind == "served_by":
            yield from (each.target for each in drawn.map.edges if each.source == arrow.target)


def _height(drawn: MarkedMap, node: Node, rows: Mapping[str, float]) -> float:
    """The mean row of the names to which a box has lines."""
    ends = [
        rows[other]
        for arrow in drawn.map.edges
        for one, other in ((arrow.source, arrow.target), (arrow.target, arrow.source))
        if one == node.id and other in rows
    ]
    return sum(ends) / len(ends) if ends else 0.0


def _wide(drawn: MarkedMap, node: Node) -> float:
    return width(_shown(drawn, node)) * CHARACTER + 20


def _shown(drawn: MarkedMap, node: Node) -> str:
    return cut(one_line(drawn.label(node)), LONGEST)


# --- what is drawn -----------------------------------------------------------------------------------


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class={quoteattr(kind)} x="{x:.0f}" y="{y:.0f}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    """A text for XML: what XML cannot have is escaped as a terminal would show it."""
    return escape("".join(one if one not in "\ufffe\uffff" else "?" for one in one_line(text)))


def _end(kind: str) -> str:
    return (
        f'<marker id="end-{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="end {kind}" d="M0 0 8 4 0 8z"/></marker>'
    )


def _titles(boxes: Mapping[str, PlacedBox], top: float) -> Iterator[str]:
    for number, (title, _) in enumerate(COLUMNS):
        x = next((one.x for one in boxes.values() if one.column == number), None)
        if x is not None:
            yield _text("column", x, top - 14, title)


def _box(drawn: MarkedMap, box: PlacedBox) -> Iterator[str]:
    yield f"<g><title>{_safe(drawn.label(box.node))}</title>"
    yield (
        f'<rect class="{box.node.kind}" x="{box.x:.0f}" y="{box.y:.0f}" width="{box.wide:.0f}" '
        f'height="{BOX}" rx="5"/>'
    )
    yield _text("name", box.x + 9, box.y + 17, _shown(drawn, box.node)) + "</g>"


def _arrows(drawn: MarkedMap, boxes: Mapping[str, PlacedBox]) -> Iterator[str]:
    """The lines, those that are wrong last: they lie above the others."""
    for arrow in sorted(drawn.map.edges, key=lambda one: one in drawn.marks):
        start, end = boxes[arrow.source], boxes[arrow.target]
        mark = drawn.marks.get(arrow)
        kind = "wrong" if mark else arrow.kind
        note = f" ({arrow.note})" if arrow.note else ""
        said = f"{start.node.name} {VERBS[arrow.kind]} {end.node.name}{note}"
        title = _safe(f"{mark}: {said}" if mark else said)
        yield (
            f'<path class="{kind}" d="{_line(_points(arrow, start, end))}" marker-end="url(#end-{kind})">'
            f"<title>{title}</title></path>"
        )


def _words(drawn: MarkedMap, boxes: Mapping[str, PlacedBox]) -> Iterator[str]:
    for arrow, mark in drawn.marks.items():
        if arrow.kind == "served_by":
            continue  # its way back has the word
        one, two, three, four = _points(arrow, boxes[arrow.source], boxes[arrow.target])
        x, y = ((a + 3 * b + 3 * c + d) / 8 for a, b, c, d in zip(one, two, three, four, strict=True))
        yield _text("word", x, y + 4, mark)


def _points(arrow: Arrow, start: PlacedBox, end: PlacedBox) -> tuple[tuple[float, float], ...]:
    """The four points of a line's curve."""
    if start.column == end.column:  # on the left, where there are fewer lines
        bend = BEND + abs(end.y - start.y) / 5
        return (
            (start.x, start.middle),
            (start.x - bend, start.middle),
            (end.x - bend, end.middle),
            (end.x - 3, end.middle),
        )
    back = end.column < start.column
    x1, x2 = (start.x, end.x + end.wide + 3) if back else (start.x + start.wide, end.x - 3)
    shift = 6.0 if back else -3.0 if arrow.kind == "served_by" else 0.0  # there and back are two lines
    bend = (x2 - x1) / 2
    return (
        (x1, start.middle + shift),
        (x1 + bend, start.middle + shift),
        (x2 - bend, end.middle + shift),
        (x2, end.middle + shift),
    )


def _line(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *others = points
    return f"M{x:.0f} {y:.0f}C" + " ".join(f"{one:.0f} {other:.0f}" for one, other in others)


def _legend(drawn: MarkedMap, y: float) -> Iterator[str]:
    x = float(MARGIN + BEND)
    for kind, text in LEGEND:
        if kind == "wrong" and not drawn.marks:
            continue
        said = ", ".join(dict.fromkeys(map(EdgeMark, drawn.marks.values()))) if kind == "wrong" else text
        yield f'<path class="{kind}" d="M{x:.0f} {y - 4:.0f}h34" marker-end="url(#end-{kind})"/>'
        yield _text("legend", x + 42, y, said)
        x += 42 + width(said) * CHARACTER + 30
