"""Patches: in every style a patch does to the text what it does to the content, and comments stay."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.adopt import edits
from litellm_homelab.sync.patches import Append, Patch, Put, Remove, applied

STYLES = {
    "block": "a:\n  # one\n  b: 1  # first\n  c: [x]\n\n  d:\n  - y  # why\n  - z\n# end\ne: 2\n",
    "flow": "a: {b: 1, c: [x], d: [y, z]}  # all\ne: 2\n",
    "mixed": "e: 2\na:\n    b: '1'\n    c:\n        - x\n    d: [y,\n        z]\n",
    "no end of line": "e: 2\na: {b: 1, c: [x], d: [y, z]}",
    "text": "a:\n  b: |\n    one\n    two\n\n  c: [x]\n  d: [y, z]\n\ne: 2\n",
}
PATCHES: dict[str, Patch] = {
    "replaced": Put(("e",), 5),
    "a new key": Put(("a", "new"), {"k": [1, "os.environ/X"]}),
    "a new mapping": Put(("n", "m"), True),
    "appended": Append(("a", "d"), "w"),
    "appended to a list of one": Append(("a", "c"), {"model_name": "n", "litellm_params": {"model": "a/b"}}),
    "a new list": Append(("a", "l"), "one"),
    "an item removed": Remove(("a", "d", 0)),
    "the last item removed": Remove(("a", "d", 1)),
    "the only item removed": Remove(("a", "c", 0)),
    "a key removed": Remove(("a", "b")),
}


def checked(text: str, patch: Patch) -> str:
    """The changed text, which contains what it should."""
    after, content = applied(text, yaml.safe_load(text), [patch])
    edits.check(after, content)
    return after


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in STYLES.items()])
@pytest.mark.parametrize("patch", [pytest.param(patch, id=name) for name, patch in PATCHES.items()])
def test_text_and_content_are_changed_alike(text: str, patch: Patch) -> None:
    """What the changed text contains is the changed content; comments of other lines are there still."""
    after = checked(text, patch)
    lost = 1 if isinstance(patch, Remove) else 0
    assert text.count("#") - after.count("#") in (0, lost)


def test_removals_keep_their_numbers() -> None:
    """Whatever their order, each removes the item that it names; additions are made before."""
    text = "a: [p, q, r, s]\n"
    patches: list[Patch] = [Remove(("a", 0)), Append(("a",), "t"), Remove(("a", 2))]
    assert applied(text, yaml.safe_load(text), patches)[0] == "a: [q, s, t]\n"


@pytest.mark.parametrize(
    ("text", "patch"),
    [
        pytest.param("x: &x {a: 1}\ny: *x\n", Put(("y", "b"), 1), id="an alias"),
        pytest.param("x: &x {a: 1}\ny: *x\n", Put(("x", "b"), 1), id="what an alias repeats"),
        pytest.param("x: &x {a: 1}\ny: {<<: *x, b: 1}\n", Remove(("y", "a")), id="merged"),
        pytest.param("a: [p,  # why\n  q]\n", Remove(("a", 0)), id="a comment in a flow list"),
        pytest.param("a:\n- - p\n- q\n", Remove(("a", 0, 0)), id="a list in a list"),
        pytest.param("a:\n  b: 1\n", Put(("a",), 1), id="a block"),
        pytest.param("a: 5\n", Append(("a",), 1), id="no list"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, patch: Patch) -> None:
    """Nothing is written then."""
    with pytest.raises(edits.CannotEdit):
        checked(text, patch)


@given(
    content=st.dictionaries(
        st.sampled_from("abc"), st.lists(st.sampled_from("pqr"), min_size=1, max_size=3), min_size=1
    ),
    flow=st.sampled_from([None, False]),
    number=st.integers(0, 2),
)
def test_items_go_without_a_trace(content: dict[str, list[str]], flow: bool | None, number: int) -> None:
    """Appending and then removing the item gives the text back, byte for byte."""
    text = yaml.safe_dump(content, default_flow_style=flow)
    key = sorted(content)[number % len(content)]
    more, changed = applied(text, content, [Append((key,), "new")])
    assert applied(more, changed, [Remove((key, len(content[key])))])[0] == text
