"""The documented types of fields: what ordinary clients send passes, what no backend takes is named."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab import refusals
from litellm_homelab.fields import types
from litellm_homelab.fields.lists import reviewed
from litellm_homelab.fields.routes import APIS
from tests.clients.recorded import Recorded, load

MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("api", "field", "value", "message"),
    [
        ("chat", "stream", "true", "'stream' must be true or false, but it is a string ('true')."),
        ("chat", "stream", 1, "'stream' must be true or false, but it is the number 1."),
        ("chat", "temperature", "hot", "'temperature' must be a number, but it is a string ('hot')."),
        ("chat", "temperature", "0.5", "'temperature' must be a number, but it is a string ('0.5')."),
        ("chat", "temperature", True, "'temperature' must be a number, but it is true."),
        ("chat", "max_tokens", 1.5, "'max_tokens' must be an integer, but it is the number 1.5."),
        ("chat", "messages", "hi", "'messages' must be an array, but it is a string ('hi')."),
        ("chat", "messages", "hi" * 90, "'messages' must be an array, but it is a string."),
        ("chat", "tools", {}, "'tools' must be an array, but it is an object."),
        ("chat", "stop", 7, "'stop' must be a string or an array, but it is the number 7."),
        ("responses", "input", 7, "'input' must be a string or an array, but it is the number 7."),
        ("responses", "reasoning", "high", "'reasoning' must be an object, but it is a string ('high')."),
        ("messages", "max_tokens", "5", "'max_tokens' must be an integer, but it is a string ('5')."),
        ("messages", "thinking", True, "'thinking' must be an object, but it is true."),
        ("embeddings", "dimensions", [], "'dimensions' must be an integer, but it is an array."),
        ("completions", "logprobs", True, "'logprobs' must be an integer, but it is true."),
        ("generate", "generationConfig", [], "'generationConfig' must be an object, but it is an array."),
    ],
)
def test_a_wrong_type_is_named(api: str, field: str, value: Any, message: str) -> None:
    """The message names the field, what it must be and what it is; a long text is not repeated."""
    found = types.wrong_type(api, {"model": "main", field: value})
    assert found is not None
    refusal = refusals.wrong_type(found.name, found.wanted, found.got)
    assert (refusal.param, refusal.message) == (field, message)


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("chat", {"messages": MESSAGES, "temperature": 1, "max_tokens": 100.0, "stop": ["a"], "seed": 7}),
        ("chat", {"reasoning_effort": "high", "tool_choice": "auto", "response_format": {"type": "text"}}),
        ("completions", {"prompt": [1, 2], "logprobs": 3}),
        ("responses", {"input": "hi", "tool_choice": {"type": "function", "name": "f"}}),
        ("messages", {"system": [{"type": "text", "text": "x"}], "max_tokens": 5}),
        ("embeddings", {"input": [[1, 2], [3]]}),
        ("nothing", {"stream": "true"}),
    ],
)
def test_documented_values_pass(api: str, body: dict[str, Any]) -> None:
    """Every documented form of a value passes, and an API without a list has no rule."""
    assert types.wrong_type(api, body) is None


@pytest.mark.parametrize("api", types.DOCUMENTED)
def test_null_is_as_good_as_nothing(api: str) -> None:
    """SDKs send null for what their user has not set."""
    assert types.wrong_type(api, dict.fromkeys(types.DOCUMENTED[api])) is None


@pytest.mark.parametrize("api", types.DOCUMENTED)
def test_only_documented_fields_have_types(api: str) -> None:
    """A type of a field that no list has would never be looked at."""
    assert set(types.DOCUMENTED[api]) <= reviewed().fields_of(api)


@pytest.mark.parametrize("one", [pytest.param(one, id=one.id) for one in load() if one.body is not None])
def test_what_real_clients_send_is_of_the_right_type(one: Recorded) -> None:
    """A recorded request of a real client has no field of a wrong type, and leaves none out."""
    path = one.path.split("?")[0]
    ends = sorted((end for end in APIS if path.endswith(end.rpartition("}")[2] or end)), key=len)
    api = APIS[ends[-1]] if ends else "none"
    assert types.wrong_type(api, one.body or {}) is None
    assert types.missing(api, one.body or {}) is None


@pytest.mark.parametrize(
    ("body", "absent"),
    [
        ({"model": "main", "messages": MESSAGES}, "max_tokens"),
        ({"model": "main", "messages": MESSAGES, "max_tokens": None}, "max_tokens"),
        ({"model": "main", "max_tokens": 5}, "messages"),
        ({"model": "main", "messages": MESSAGES, "max_tokens": 5}, None),
        ({}, None),
    ],
)
def test_a_required_field_is_missed(body: dict[str, Any], absent: str | None) -> None:
    """Once a model is named: without one, that is what is said."""
    assert types.missing("messages", body) == absent
