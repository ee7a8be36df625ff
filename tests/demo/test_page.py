"""The demo's faults on its page and in the documentation."""

from __future__ import annotations

from pathlib import Path

from litellm_homelab.demo.faults import ABOUT
from litellm_homelab.demo.page import page

DOCUMENTED = Path(__file__).parents[2] / "docs" / "testing.md"
ONE = {"url": "http://127.0.0.1:1", "models": ["<m>"], "fault": None, "limit": None, "wakes": 2}


def test_what_comes_from_outside_is_escaped() -> None:
    """A model's name is an argument of the command line."""
    text = page({"mlx": ONE}, {"mlx": 3}, "curl '<x>'")
    assert "&lt;m&gt;" in text
    assert "curl '&lt;x&gt;'" in text
    assert "<td>works</td><td>3</td><td>2</td>" in text


def test_the_documentation_lists_the_faults() -> None:
    """In the same words as the page."""
    text = DOCUMENTED.read_text(encoding="utf-8")
    assert all(f"| `{kind}` | {about} |" in text for kind, about in ABOUT.items())
