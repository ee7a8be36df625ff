"""What an approach drops of a request, in every API's words."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.config.sections import Lane
from litellm_homelab.optillm.approaches import Approach, decide
from litellm_homelab.optillm.dropped import dropped, refusal

ALL = ["none", "re2", "json"]
IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
ASKED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "nothing": ({"messages": [{"role": "user", "content": "x"}]}, ()),
    "tools": ({"tools": [{"type": "function"}]}, ("tools",)),
    "old functions": ({"functions": [{"name": "f"}]}, ("tools",)),
    "no tools": ({"tools": []}, ()),
    "tools that may not be called": ({"tools": [{}], "tool_choice": "none"}, ()),
    "a format": ({"response_format": {"type": "json_schema"}}, ("response_format",)),
    "text": ({"response_format": {"type": "text"}}, ()),
    "a format of responses": ({"text": {"format": {"type": "json_schema"}}}, ("response_format",)),
    "text of responses": ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, ()),
    "a format of messages": ({"output_config": {"format": {"type": "json_schema"}}}, ("response_format",)),
    "a format of Google's": ({"generationConfig": {"responseSchema": {"type": "x"}}}, ("response_format",)),
    "a picture": ({"messages": [IMAGE]}, ("images",)),
    "a picture of responses": ({"input": [{"content": [{"type": "input_image"}]}]}, ("images",)),
    "a picture of messages": ({"messages": [{"content": [{"type": "image"}]}]}, ("images",)),
    "sound": ({"messages": [{"content": [{"type": "input_audio"}]}]}, ("audio",)),
    "a file": ({"messages": [{"content": [{"type": "document"}]}]}, ("files",)),
    "Google's data": ({"contents": [{"parts": [{"inlineData": {}}]}]}, ("files",)),
    "all": ({"tools": [{}], "messages": [IMAGE], "response_format": {"type": "json_object"}},
            ("tools", "response_format", "images")),
}  # fmt: skip


def approach(name: str) -> Approach:
    """An approach by its name."""
    made = decide([name], ALL, "none")
    assert isinstance(made, Approach)
    return made


@pytest.mark.parametrize(("body", "expected"), ASKED.values(), ids=ASKED.keys())
def test_most_approaches_drop_all_but_texts(body: dict[str, Any], expected: tuple[str, ...]) -> None:
    """`none` passes fields on, `json` reads the format; nobody passes pictures on."""
    fields = {"tools", "response_format"}
    assert dropped(approach("re2"), body) == expected
    assert dropped(approach("none"), body) == tuple(name for name in expected if name not in fields)
    assert dropped(approach("json"), body) == tuple(name for name in expected if name != "response_format")


@pytest.mark.parametrize(
    ("name", "instead"),
    [("tools", "Ask for none, or"), ("images", "Ask a handle that is not OptiLLM, or")],
)
def test_it_is_refused_where_the_operator_says_so(name: str, instead: str) -> None:
    """The text names the field and what takes it."""
    lane = Lane(approaches=ALL, on_dropped="refuse")
    found = refusal("boost", lane, approach("re2"), (name,))
    assert found is not None
    assert (found.type, found.param) == ("param_not_allowed", name)
    assert f"boost: the approach re2 drops {name}. {instead} leave {name} out." == found.message
    assert refusal("boost", lane, approach("re2"), ()) is None
    assert refusal("boost", Lane(approaches=ALL), approach("re2"), (name,)) is None
