"""The map as a Mermaid flowchart, for a README or an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from litellm_homelab.config.wording import one_line
from litellm_homelab.drawing.marking import MarkedMap
from litellm_homelab.page.routing import Arrow

ARROWS: Final = {"uses": "-->", "served_by": "-->", "falls_back": "-.->", "calls_back": "==>"}
WORDS: Final = {"falls_back": "falls back", "calls_back": "calls back"}
SHAPES: Final = {"caller": ("([", "])"), "any": ("([", "])"), "backend": ("[(", ")]")}
"""How a box is drawn: callers round, servers as cylinders, names as rectangles."""
PLAIN: Final = re.compile(r"[^\W_]|[ _./(),-]")
"""What a label may have as it is: letters, digits, and these."""
COLON: Final = re.compile(r"style|classDef|fa[a-z]?:")
"""Behind these a colon has a meaning: Mermaid cuts an entity, or draws an icon (seen with 11.17.2)."""


def written(drawn: MarkedMap) -> str:
    """The whole chart; arrows that are wrong are red and have a word."""
    return "\n".join(_lines(drawn)) + "\n"


def _lines(drawn: MarkedMap) -> Iterator[str]:
    ids = {one.id: f"n{number}" for number, one in enumerate(drawn.map.nodes)}
    yield "flowchart LR"
    for node in drawn.map.nodes:
        left, right = SHAPES.get(node.kind, ("[", "]"))
        yield f'    {ids[node.id]}{left}"{escaped(drawn.label(node))}"{right}'
    for arrow in drawn.map.edges:
        line = ARROWS[arrow.kind]
        text = _text(drawn, arrow)
        words = f'|"{escaped(text)}"|' if text else ""
        yield f"    {ids[arrow.source]} {line}{words} {ids[arrow.target]}"
    wrong = [str(number) for number, one in enumerate(drawn.map.edges) if one in drawn.marks]
    if wrong:
        yield f"    linkStyle {','.join(wrong)} stroke:#c00,stroke-width:3px,color:#c00"


def _text(drawn: MarkedMap, arrow: Arrow) -> str:
    mark = drawn.marks.get(arrow)
    parts = (mark.value if mark else "", WORDS.get(arrow.kind, ""), arrow.note)
    return ": ".join(part for part in parts if part)


def escaped(text: str) -> str:
    """A text as a label between quotes: what Mermaid or HTML reads in another way is an entity."""
    shown = one_line(text) or " "
    keep_colons = COLON.search(shown) is None
    plain = (one if PLAIN.match(one) or (one == ":" and keep_colons) else f"#{ord(one)};" for one in shown)
    return "".join(plain)
