"""Which approach the OptiLLM stand-in chooses: the rules measured on OptiLLM 0.4.0."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.demo.optillm.approach import KNOWN, flatten, parse, plan, without_tags


def _tag(name: str) -> str:
    return f"<optillm_approach>{name}</optillm_approach>"


def _message(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


USER = _message("user", "hi")


@pytest.mark.parametrize(
    ("body", "default", "approaches", "model"),
    [
        pytest.param({}, "none", ("none",), "base", id="default-none"),
        pytest.param({}, "moa", ("moa",), "base", id="server-default"),
        pytest.param({"model": "moa-base"}, "none", ("none", "moa"), "base", id="default-beats-prefix"),
        pytest.param({"model": "moa-base"}, "auto", ("moa",), "base", id="prefix-with-auto"),
        pytest.param({"optillm_approach": "re2"}, "moa", ("re2",), "base", id="body-beats-default"),
        pytest.param(
            {"optillm_approach": "auto", "model": "moa-base"}, "none", ("moa",), "base", id="body-auto"
        ),
        pytest.param(
            {"optillm_approach": "re2", "messages": [_message("user", _tag("moa"))]},
            "none",
            ("moa",),
            "base",
            id="user-tag-beats-body",
        ),
        pytest.param(
            {"messages": [_message("system", _tag("re2")), _message("user", _tag("moa"))]},
            "none",
            ("re2",),
            "base",
            id="system-tag-beats-user-tag",
        ),
        pytest.param(
            {"messages": [_message("user", _tag("moa")), _message("system", "be kind")]},
            "none",
            ("none",),
            "base",
            id="later-system-resets",
        ),
        pytest.param(
            {"messages": [_message("assistant", _tag("moa")), _message("tool", _tag("bon")), USER]},
            "none",
            ("none",),
            "base",
            id="other-roles-ignored",
        ),
        pytest.param({"messages": [_message("user", _tag("MOA"))]}, "none", ("none",), "MOA-base", id="case"),
        pytest.param(
            {"messages": [_message("user", _tag(" moa "))]}, "none", ("none",), " moa -base", id="space"
        ),
        pytest.param(
            {"messages": [_message("user", _tag("moa-big"))]},
            "none",
            ("moa",),
            "big-base",
            id="tag-renames-model",
        ),
        pytest.param({"optillm_approach": None}, "moa", ("none",), "None-base", id="null"),
        pytest.param({"model": "org/moa-base"}, "auto", ("none",), "org/moa-base", id="not-after-a-slash"),
        pytest.param({"model": "moa"}, "auto", ("moa",), "", id="nothing-left"),
    ],
)
def test_choice(body: dict[str, Any], default: str, approaches: tuple[str, ...], model: str) -> None:
    """Tag, body field, server default and model prefix are obeyed in this order."""
    chosen = plan({"model": "base", "messages": [USER], **body}, default)
    assert (chosen.approaches, chosen.model) == (approaches, model)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        pytest.param("re2&moa-base", ("AND", ("re2", "moa"), "base"), id="and"),
        pytest.param("re2|moa-base", ("OR", ("re2", "moa"), "base"), id="or"),
        pytest.param("re2&moa|bon-base", ("AND", ("re2", "moa|bon"), "base"), id="and-before-or"),
        pytest.param("moa&nope-base", ("AND", ("moa", "nope"), "base"), id="unknown-kept"),
        pytest.param("base-x&y", ("SINGLE", ("none",), "base-x&y"), id="not-after-the-model"),
    ],
)
def test_combined(model: str, expected: tuple[str, tuple[str, ...], str]) -> None:
    """``&`` and ``|`` in the first dash-parts combine approaches."""
    assert parse(model) == expected


@given(
    st.sampled_from(sorted(KNOWN)),
    st.text("abz09-./", min_size=1).filter(lambda model: model.split("-")[0] not in KNOWN),
)
def test_prefix_law(approach: str, model: str) -> None:
    """An approach in front of a model name that starts with none comes off, and nothing else does."""
    assert parse(f"{approach}-{model}") == ("SINGLE", (approach,), model)


def test_flattened() -> None:
    """The conversation becomes one text; earlier system, tool, developer and empty messages are dropped."""
    messages = [
        _message("system", "first"),
        _message("system", "last"),
        _message("developer", "d"),
        USER,
        _message("assistant", None),
        _message("assistant", "yes"),
        _message("tool", "t"),
        _message(
            "user", [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]
        ),
    ]
    assert flatten(messages) == ("last", "User: hi\nAssistant: yes\nUser: a b", None)


CONTENT = st.none() | st.sampled_from(["hi", _tag("moa"), f"x {_tag('a')} y"]).flatmap(
    lambda text: st.sampled_from([text, [{"type": "text", "text": text}, {"type": "image_url"}]])
)


@given(
    st.lists(
        st.builds(_message, st.sampled_from(["system", "user", "assistant", "tool"]), CONTENT), max_size=5
    )
)
def test_without_tags(messages: list[dict[str, Any]]) -> None:
    """What ``none`` passes on has no tag, only text, the same roles; and the input is left alone."""
    before = copy.deepcopy(messages)
    passed = without_tags(messages)
    assert messages == before
    assert [message["role"] for message in passed] == [message["role"] for message in messages]
    assert all(message["content"] is None or isinstance(message["content"], str) for message in passed)
    assert "<optillm_approach>" not in str(passed)
