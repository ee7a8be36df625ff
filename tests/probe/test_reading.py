"""What an answer of a chat says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.probe.asking import ProbeReply
from litellm_homelab.probe.reading import LONGEST_ERROR, answer_of, parsed, shape_of

CHOICE = {"index": 0, "finish_reason": "length", "message": {"content": "tide", "reasoning_content": "hm "}}


def whole(**changed: Any) -> str:
    """A chat's answer."""
    return json.dumps({"id": "c", "choices": [CHOICE], "usage": {"completion_tokens": 2}, **changed})


def events(*documents: object, end: str = "data: [DONE]\n\n") -> str:
    """A stream."""
    return "".join(f"data: {json.dumps(one)}\n\n" for one in documents) + end


def delta(**fields: Any) -> dict[str, Any]:
    """One piece of a stream."""
    return {"id": "c", "choices": [{"index": 0, "delta": fields}]}


def test_a_whole_answer() -> None:
    """Reasoning counts as text, content is apart."""
    found = answer_of(ProbeReply(200, whole()))
    assert (found.is_ok, found.text, found.content, found.finish) == (True, "hm tide", "tide", "length")
    assert (found.completion_tokens, found.has_usage, found.has_id, found.chunks) == (2, True, True, 0)


def test_a_stream() -> None:
    """Pieces are put together; usage may be in any event, comments count for nothing."""
    body = ": waiting\n\n" + events(
        delta(role="assistant"), delta(content="ti"), delta(content="de"), {"choices": [], "usage": {"a": 1}}
    )
    found = answer_of(ProbeReply(200, body))
    assert (found.text, found.chunks, found.is_done, found.has_usage) == ("tide", 2, True, True)
    assert not answer_of(ProbeReply(200, events(delta(content="x"), end=""))).is_done


@pytest.mark.parametrize(
    ("status", "body", "is_refused", "error"),
    [
        pytest.param(400, '{"error": {"message": "no"}}', True, "400: no", id="OpenAI's"),
        pytest.param(404, '{"error": "no"}', True, "404: no", id="a text"),
        pytest.param(422, '{"detail": "no"}', True, "422: no", id="FastAPI's"),
        pytest.param(500, "<html>no</html>", True, "500 with an HTML page", id="a page"),
        pytest.param(429, '{"error": "busy"}', False, "429: busy", id="busy"),
        pytest.param(401, "", False, "401 with an empty body", id="key"),
        pytest.param(200, '{"error": {"message": "no"}}', True, "200 with an error in it: no", id="in a 200"),
        pytest.param(200, whole(error="no"), True, "200 with an error in it: no", id="beside choices"),
        pytest.param(200, "{}", False, "200 without choices", id="nothing"),
        pytest.param(200, "<!DOCTYPE html>", False, "200 with an HTML page", id="a page in a 200"),
        pytest.param(200, "[]", False, "200 with JSON that is not an object", id="a list"),
        pytest.param(200, events({"error": "no"}), True, "an error in its stream: no", id="in a stream"),
        pytest.param(200, events(), False, "200 with a stream without choices", id="an empty stream"),
    ],
)
def test_what_is_not_an_answer(status: int, body: str, is_refused: bool, error: str) -> None:
    """A refusal is one that is not about key or load."""
    found = answer_of(ProbeReply(status, body))
    assert (found.is_ok, found.is_refused, found.error) == (False, is_refused, error)


def test_words_of_a_server_are_cut_and_hide_keys() -> None:
    """On one line."""
    said = json.dumps({"error": f"key sk-abcdefgh12345678 is wrong\n\x1b[31m{'x' * 500}"})
    error = answer_of(ProbeReply(400, said)).error
    assert "sk-abc" not in error
    assert "\x1b" not in error
    assert "\n" not in error
    assert len(error) <= LONGEST_ERROR + 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "delta", "content", "error", "usage", "tool_calls", "index"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(100, 599), JSON, st.booleans())
def test_every_document_is_read(status: int, document: object, is_stream: bool) -> None:
    """Whatever its shape; none but a status below 400 with choices is an answer."""
    body = events(document) if is_stream else json.dumps(document)
    found = answer_of(ProbeReply(status, body))
    assert found.is_ok != bool(found.error)
    assert not (found.is_ok and status >= 400)


@pytest.mark.parametrize("text", ["", "x", "<html>", "[" * 100_000, "9" * 5000, '{"a": 1}', "\ud800"])
def test_every_text_has_a_shape(text: str) -> None:
    """Nested and large ones as well."""
    assert shape_of(text, parsed(text))
