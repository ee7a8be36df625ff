"""An answer in one piece, said as the events of a stream that has begun."""

from __future__ import annotations

import json

import pytest

from litellm_homelab.answers import late_answers
from litellm_homelab.answers.rewriting import BROKEN

ERROR = {"message": "no slot", "type": "backend_busy", "param": None, "code": "429"}
OPENAI = json.dumps({"error": ERROR}).encode()
ANTHROPIC = json.dumps(
    {"type": "error", "error": {"type": "rate_limit_error", "message": "no slot"}}
).encode()


@pytest.mark.parametrize(
    ("style", "body", "name", "done"),
    [
        ("openai", OPENAI, None, True),
        ("google", OPENAI, None, False),
        ("anthropic", ANTHROPIC, "error", False),
        ("responses", OPENAI, "error", False),
    ],
    ids=["openai", "google", "anthropic", "responses"],
)
def test_an_error_is_the_error_event_of_its_route(
    style: str, body: bytes, name: str | None, done: bool
) -> None:
    """It keeps its message and its type; chat and completions end with `[DONE]`."""
    lines = late_answers.events(style, 429, body).decode().splitlines()
    assert (lines[0] == "event: error") is (name is not None)
    assert ("data: [DONE]" in lines) is done
    data = next(json.loads(line[5:]) for line in lines if line.startswith("data: {"))
    assert data["error"] == json.loads(body)["error"]


def test_an_error_event_of_responses_has_openais_fields() -> None:
    """The documented event names code, message and parameter beside its type."""
    event = json.loads(late_answers.events("responses", 429, OPENAI).decode().partition("data: ")[2])
    del event["error"]
    documented = {"type": "error", "sequence_number": 0, "code": "backend_busy", "message": "no slot"}
    assert event == {**documented, "param": None}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"{", b"\xff", b"[" * 100_000], ids=range(6))
@pytest.mark.parametrize("style", ["openai", "google", "anthropic", "responses"])
def test_an_error_that_cannot_be_read_is_an_error_all_the_same(style: str, body: bytes) -> None:
    """It says the status, and nothing of what was unreadable."""
    said = late_answers.events(style, 503, body).decode()
    assert "The request failed with status 503." in said
    assert "html" not in said


def test_an_error_that_is_a_text_says_it() -> None:
    """Where `error` is a text, it is the message."""
    event = json.loads(
        late_answers.events("responses", 500, b'{"error": "no"}').decode().partition("data: ")[2]
    )
    assert (event["message"], event["code"]) == ("no", BROKEN)


def test_an_answer_in_one_piece_is_one_event() -> None:
    """An answer that is no stream although one was asked for."""
    assert late_answers.events("openai", 200, b'{"a": 1}') == b'data: {"a":1}\n\ndata: [DONE]\n\n'
