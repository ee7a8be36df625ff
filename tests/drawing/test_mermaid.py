"""The map as a Mermaid flowchart."""

from __future__ import annotations

import re

import pytest

from litellm_homelab.drawing import mermaid
from tests.drawing import lab

LABEL = r'"(?:[^\W_]|[ _./(),:-]|#\d+;)+"'
LINE = re.compile(
    rf"flowchart LR|    n\d+(?:\(\[{LABEL}\]\)|\[{LABEL}\]|\[\({LABEL}\)\])"
    rf"|    n\d+ (?:-->|-\.->|==>)(?:\|{LABEL}\|)? n\d+"
    r"|    linkStyle \d+(?:,\d+)* stroke:#c00,stroke-width:3px,color:#c00"
)
"""A line of what we write; a label has no character that Mermaid or HTML reads in another way."""
GOLDEN = """\
flowchart LR
    n0(["master key"])
    n1(["chat"])
    n2(["every name"])
    n3["main"]
    n4["boost"]
    n5["exact (hidden)"]
    n6["base (internal)"]
    n7["spare (internal)"]
    n8[("gpu (vllm)")]
    n9[("http://loopback:8100 (optillm)")]
    n10[("#36;EXACT_API_BASE")]
    n11[("groq")]
    n0 --> n2
    n1 --> n3
    n1 --> n4
    n3 -.->|"falls back"| n7
    n3 --> n8
    n4 -->|"LOOP"| n9
    n6 --> n8
    n5 --> n10
    n7 --> n11
    n9 ==>|"LOOP: calls back"| n4
    linkStyle 5,9 stroke:#c00,stroke-width:3px,color:#c00
"""


def test_the_whole_chart() -> None:
    """Callers and servers have shapes of their own; what is wrong has a word and is red."""
    assert mermaid.written(lab.drawn(lab.LOOP)) == GOLDEN


def test_nothing_is_red_where_nothing_is_wrong() -> None:
    """A chart without a style."""
    chart = mermaid.written(lab.drawn())
    assert "linkStyle" not in chart
    assert [line for line in chart.splitlines() if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("name", "written"),
    [
        pytest.param("groq/llama-3.3_70b", "groq/llama-3.3_70b", id="a name"),
        pytest.param("http://gpu:8000", "http://gpu:8000", id="an address"),
        pytest.param('a"b', "a#34;b", id="quote"),
        pytest.param("<b>", "#60;b#62;", id="markup"),
        pytest.param("#quot;", "#35;quot#59;", id="entity"),
        pytest.param("`x`", "#96;x#96;", id="Markdown"),
        pytest.param("a\nb", "a#92;nb", id="line break"),
        pytest.param("style:<", "style#58;#60;", id="what Mermaid cuts"),
        pytest.param("fa:fa-car", "fa#58;fa-car", id="icon"),
        pytest.param("$$x$$", "#36;#36;x#36;#36;", id="formula"),
        pytest.param("", " ", id="empty"),
    ],
)
def test_labels(name: str, written: str) -> None:
    """Whatever has a meaning is an entity."""
    assert mermaid.escaped(name) == written
