"""Edits of YAML: in every style they change one thing, and comments, order and quotes stay."""

from __future__ import annotations

import difflib

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.adopt import edits

STYLES = {
    "block": "a: 1\ngeneral_settings:\n  # the key\n  master_key: x  # mine\n\n# the end\nb: 2\n",
    "block, last": "general_settings:\n    master_key: 'x'\n",
    "block, no newline at the end": "general_settings:\n  master_key: x",
    "flow": "general_settings: {master_key: x, b: [1, 2]} # all\nb: 2\n",
    "flow, empty": "general_settings: {}\n",
    "flow, several lines": "general_settings: {\n  master_key: x,\n}\nb: 2\n",
    "nothing": "general_settings:\nb: 2\n",
    "nothing, with a comment": "general_settings:  # later\nb: 2\n",
    "nothing, written": "general_settings: null\nb: 2\n",
    "nothing, last": "b: 2\ngeneral_settings:",
    "missing": "# a file\na: 1\n",
    "missing, no newline": "a: 1",
    "a block of text at the end": "general_settings:\n  text: |\n    one\n    two\n\nb: 2\n",
    "a list at the end": "general_settings:\n  list:\n  - one\n  - two # second\nb: 2\n",
    "deep at the end": "general_settings:\n  a:\n    b:\n      - c: {d: 1}\n",
    "quoted with the name in it": 'general_settings:\n  a: "new: 1"\nb: 2\n',
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in STYLES.items()])
@pytest.mark.parametrize("value", [True, "litellm_homelab.gate", "os.environ/X", "off", 3, "a, b"])
def test_a_setting_is_added(text: str, value: object) -> None:
    """The section has it, everything else is as it was, and no line is gone."""
    before = yaml.safe_load(text)
    after = edits.add_setting(text, "general_settings", "new", value)
    edits.check(
        after, {**before, "general_settings": {**(before.get("general_settings") or {}), "new": value}}
    )
    assert _gone(text, after) <= 1


CALLBACKS = {
    "no section": "a: 1\n",
    "no list": "litellm_settings:\n  drop_params: true\n",
    "flow": "litellm_settings:\n  callbacks: [prometheus, mine.handler] # both\n  b: 1\n",
    "flow, several lines": "litellm_settings:\n  callbacks: [\n    prometheus,\n    mine.handler,\n  ]\n",
    "flow in flow": "litellm_settings: {callbacks: [prometheus], b: 1}\n",
    "flow, empty": "litellm_settings:\n  callbacks: []\n",
    "block": "litellm_settings:\n  callbacks:\n    - prometheus # first\n    # more\n    - mine.x\n  b: 1\n",
    "block, not indented": "litellm_settings:\n  callbacks:\n  - prometheus\n  b: 1\n",
    "block, quoted": 'litellm_settings:\n  callbacks:\n    - "a-b.c"\n',
    "a text": "litellm_settings:\n  callbacks: mine.handler\n  b: 1\n",
    "a text in quotes": "litellm_settings:\n  callbacks: 'mine.handler' # mine\n",
    "nothing": "litellm_settings:\n  callbacks:\n  b: 1\n",
    "nothing, written": "litellm_settings:\n  callbacks: null\n  b: 1\n",
    "an empty section": "litellm_settings:\n",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in CALLBACKS.items()])
def test_a_callback_is_added(text: str) -> None:
    """At the end of the list, however that is written."""
    before = yaml.safe_load(text)
    settings = before.get("litellm_settings") or {}
    own = settings.get("callbacks") or []
    listed = [*([own] if isinstance(own, str) else own), "litellm_homelab.plugin"]
    after = edits.add_callback(text, "litellm_homelab.plugin")
    edits.check(after, {**before, "litellm_settings": {**settings, "callbacks": listed}})
    assert after.count("#") == text.count("#")
    assert _gone(text, after) <= 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("model_list:\n- litellm_params: {model: openai/moa-x, a: 1} # c\n", id="flow"),
        pytest.param("model_list:\n- litellm_params:\n    model: 'openai/moa-x'  # c\n", id="quoted"),
    ],
)
def test_a_model_is_changed(text: str) -> None:
    """The one value, and the comment behind it stays."""
    after = edits.set_model(text, 0, "openai/x")
    assert yaml.safe_load(after)["model_list"][0]["litellm_params"]["model"] == "openai/x"
    assert "# c" in after


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{a: 1}", id="a file in flow style"),
        pytest.param("a: 1\n...\n", id="an end of the document"),
        pytest.param("x: &x {a: 1}\ngeneral_settings: *x\n", id="an alias"),
        pytest.param("general_settings: [a]\n", id="a list"),
        pytest.param("general_settings: text\n", id="a text"),
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """With what to do by hand, and nothing is written."""
    with pytest.raises(edits.CannotEdit, match=r"by hand|write"):
        edits.add_setting(text, "general_settings", "new", True)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("model_list:\n- litellm_params: {model: x, a: 1} # c\n", id="flow"),
        pytest.param("model_list:\n- litellm_params:\n    model: 'x'  # c\n  a: 1\n", id="block"),
        pytest.param("model_list: [{litellm_params: {model: x}}] # c\n", id="flow in flow"),
    ],
)
def test_a_parameter_is_added(text: str) -> None:
    """To the one entry; all else is as it was."""
    before = yaml.safe_load(text)
    before["model_list"][0]["litellm_params"]["new"] = True
    after = edits.add_param(text, 0, "new", True)
    edits.check(after, before)
    assert "# c" in after


def test_a_deployment_of_another_file_is_not_changed() -> None:
    """It is in a file that is included."""
    with pytest.raises(edits.CannotEdit, match="write openai/x there"):
        edits.set_model("model_list: []\n", 0, "openai/x")


def test_a_result_that_is_something_else_is_refused() -> None:
    """Whatever the edits did, the content is compared."""
    with pytest.raises(edits.CannotEdit):
        edits.check("a: 1\n", {"a": 2})
    with pytest.raises(edits.CannotEdit):
        edits.check("a: [", {"a": []})


@given(value=st.text() | st.booleans() | st.integers())
def test_a_scalar_is_read_as_it_was(value: object) -> None:
    """Quoted where it must be, in block and in flow style."""
    written = edits.scalar(value)
    assert "\n" not in written
    assert yaml.safe_load(f"a: {written}\nb: [{written}, {{c: {written}}}]\n") == {
        "a": value,
        "b": [value, {"c": value}],
    }


def _gone(before: str, after: str) -> int:
    """How many lines are not in the result as they were."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return sum(line.startswith("- ") for line in lines)
