"""The map as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.drawing import mermaid, svg, text
from litellm_homelab.drawing.marking import EdgeMark, MarkedMap
from litellm_homelab.page.routing import Arrow, Map, Node
from tests.drawing import lab
from tests.drawing.test_mermaid import LINE

SPACE = "{http://www.w3.org/2000/svg}"
SCRIPT = "<script>alert(1)</script>"
NAMES = st.text(st.characters(exclude_categories=()), max_size=60) | st.sampled_from(
    [
        SCRIPT,
        "]]>",
        "--> x",
        "&amp;",
        '"',
        "a\nb",
        "\x1b[31m",
        "\u202e",
        "\ud800",
        "\ufffe",
        "`x`",
        "#quot;",
        "style:#;",
    ]
)


def tree(picture: str) -> ET.Element:
    """The picture as XML; whatever is not XML raises."""
    return ET.fromstring(picture)


def texts(picture: str, kind: str) -> list[str | None]:
    """The texts of a class."""
    return [one.text for one in tree(picture).iter(f"{SPACE}text") if one.get("class") == kind]


def test_every_box_and_every_arrow_is_drawn() -> None:
    """With its name, and a title that says it in words."""
    drawn = lab.drawn()
    picture = tree(svg.written(drawn))
    titles = [one.text for one in picture.iter(f"{SPACE}title")]
    assert len(titles) == len(drawn.map.nodes) + len(drawn.map.edges)
    assert "http://loopback:8100 calls back base" in titles
    assert len([*picture.iter(f"{SPACE}rect")]) == len(drawn.map.nodes)


def test_nothing_is_red_where_nothing_is_wrong() -> None:
    """Neither a line nor a word."""
    picture = svg.written(lab.drawn())
    assert texts(picture, "banner") == texts(picture, "word") == []
    assert 'class="wrong"' not in picture


def test_a_loop_is_seen_at_a_glance() -> None:
    """A line of words above the picture, its arrows red and above the others, and a word beside them."""
    picture = svg.written(lab.drawn(lab.LOOP))
    assert texts(picture, "banner") == ["LOOP: boost -> OptiLLM -> boost"]
    assert texts(picture, "word") == ["LOOP"]
    kinds = [
        one.get("class")
        for one in tree(picture).iter(f"{SPACE}path")
        if one.find(f"{SPACE}title") is not None
    ]
    assert kinds[-2:] == ["wrong", "wrong"]
    assert "wrong" not in kinds[:-2]


def test_it_loads_nothing_and_runs_nothing() -> None:
    """One namespace, no address but the names, no script, no event."""
    picture = svg.written(lab.drawn())
    whole = tree(picture)
    assert {one.tag.removeprefix(SPACE) for one in whole.iter()} <= {
        *("svg", "style", "defs", "marker", "path", "g", "title", "rect", "text")
    }
    names = {name for one in whole.iter() for name in one.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name}
    assert "url(#" in picture
    assert picture.count("url(") == picture.count("url(#")
    assert "@import" not in picture


def test_boxes_of_a_column_do_not_overlap() -> None:
    """Each is below the one before."""
    boxes: dict[str, list[float]] = {}
    for one in tree(svg.written(lab.drawn(lab.LOOP))).iter(f"{SPACE}rect"):
        boxes.setdefault(one.attrib["x"], []).append(float(one.attrib["y"]))
    assert len(boxes) == 3
    for heights in boxes.values():
        assert all(
            after - before > svg.BOX
            for before, after in zip(sorted(heights), sorted(heights)[1:], strict=False)
        )


def of_names(names: list[str], mark: EdgeMark | None = None) -> MarkedMap:
    """A map of a caller, a name and a backend with these names, and all kinds of arrows between them."""
    caller, name, backend, note = names
    nodes = (
        Node(f"caller:{caller}", "caller", caller, ""),
        Node(f"group:{name}", "handle", name, ""),
        Node(f"backend:{backend}", "backend", backend, ""),
    )
    one, two, three = (node.id for node in nodes)
    arrows = (
        Arrow(one, two, "uses"),
        Arrow(two, three, "served_by"),
        Arrow(two, two, "falls_back", note),
        Arrow(three, two, "calls_back"),
    )
    marks = dict.fromkeys(arrows, mark) if mark else {}
    return MarkedMap(Map(nodes, arrows), marks, ((name, "OptiLLM", name),) if mark else (), {name: "hidden"})


@settings(max_examples=200, deadline=None)
@given(st.lists(NAMES, min_size=4, max_size=4), st.sampled_from([None, *EdgeMark]))
def test_every_form_is_well_formed_for_any_names(names: list[str], mark: EdgeMark | None) -> None:
    """XML that parses with no element of a name's, a line of Mermaid for each box, printable text."""
    drawn = of_names(names, mark)
    picture = svg.written(drawn)
    picture.encode("utf-8")
    assert {one.tag.removeprefix(SPACE) for one in tree(picture).iter()} <= {
        *("svg", "style", "defs", "marker", "path", "g", "title", "rect", "text")
    }
    chart = mermaid.written(drawn)
    assert [line for line in chart.splitlines() if not LINE.fullmatch(line)] == []
    assert len(chart.splitlines()) == 1 + 3 + 4 + bool(mark)
    assert all(one.isprintable() or one == "\n" for one in text.written(drawn))


@pytest.mark.parametrize("place", ["caller", "handle", "backend"])
def test_a_planted_script_is_text(place: str) -> None:
    """In a caller, a name and a backend of a file."""
    change = {
        "caller": ("    chat: {key", f"    '{SCRIPT}': {{key"),
        "handle": ("handles: [main, boost], hidden", f"handles: [main, boost, '{SCRIPT}'], hidden"),
        "backend": ("{gpu: {at", f"{{'{SCRIPT}': {{at"),
    }[place]
    picture = svg.written(lab.drawn(change))
    assert "<script" not in picture
    assert any(SCRIPT in (one.text or "") for one in tree(picture).iter(f"{SPACE}title"))
