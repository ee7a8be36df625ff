"""Streams read as they arrive, torn anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.timeouts.answer import Heard, whole
from litellm_homelab.timeouts.faults import AnswerFault
from litellm_homelab.timeouts.reading import Format, Piece, Reader, WrongAnswer, format_of, is_streamed

HI = b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\n'
ROLE = b'data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}\n\n'
STOP = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"
LINES = (
    b'{"message": {"content": ""}, "done": false}\n{"message": {"content": "hi"}, "done": false}\n'
    b'{"message": {"content": ""}, "done": true, "done_reason": "stop"}\n'
)
ARRAY = (
    b'[{"candidates": [{"content": {"parts": [{"text": "a } \\" { b"}]}}]}\n,\r\n'
    b'{"candidates": [{"finishReason": "STOP"}]}\n]'
)
STREAMS = {
    "events": (Format.EVENTS, b": hello\n\n" + ROLE + HI + STOP + DONE),
    "events with CRLF": (Format.EVENTS, (b": hello\n\n" + ROLE + HI + STOP).replace(b"\n", b"\r\n")),
    "events with CR": (Format.EVENTS, (ROLE + HI + STOP).replace(b"\n", b"\r")),
    "events with one line end": (Format.EVENTS, (ROLE + HI + STOP).replace(b"\n\n", b"\n")),
    "events without the last line end": (Format.EVENTS, (HI + STOP).rstrip()),
    "events in several lines": (Format.EVENTS, b'data: {"choices": [\ndata: {"text": "hi"}]}\n\n' + DONE),
    "events with a mark": (Format.EVENTS, b"\xef\xbb\xbf" + HI + STOP),
    "lines": (Format.LINES, LINES),
    "array": (Format.ARRAY, ARRAY),
    "opaque": (Format.OPAQUE, b"\x00\x01\x02"),
}


def _read(framing: Format, chunks: Iterable[bytes]) -> tuple[list[Piece], Heard]:
    reader, heard = Reader(framing), Heard(framing)
    units = [unit for chunk in chunks for unit in reader.feed(chunk)]
    units += reader.end()
    for unit in units:
        heard.note(unit.said)
    return units, heard


@pytest.mark.parametrize("name", STREAMS)
def test_byte_by_byte(name: str) -> None:
    """A whole answer is one however it is torn, and leaves as it came."""
    framing, raw = STREAMS[name]
    units, heard = _read(framing, (raw[n : n + 1] for n in range(len(raw))))
    assert b"".join(unit.raw for unit in units) == raw
    assert (heard.has_begun, heard.at_the_end()) == (True, None)


@given(st.sampled_from(sorted(STREAMS)), st.lists(st.integers(1, 40), min_size=1))
def test_torn_anywhere(name: str, sizes: list[int]) -> None:
    """How a stream is cut changes nothing."""
    framing, raw = STREAMS[name]
    chunks: list[bytes] = []
    place = 0
    while place < len(raw):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(raw[place : place + size])
        place += size
    units, heard = _read(framing, chunks)
    assert b"".join(unit.raw for unit in units) == raw
    assert (heard.content, heard.at_the_end()) == (True, None)


@given(st.binary(max_size=400), st.sampled_from(Format))
def test_any_bytes(raw: bytes, framing: Format) -> None:
    """Whatever an upstream sends is given back as it is, or is called wrong."""
    try:
        units, _ = _read(framing, (raw[n : n + 7] for n in range(0, len(raw), 7)))
    except WrongAnswer:
        return
    assert b"".join(unit.raw for unit in units) == raw


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        pytest.param(b"", AnswerFault.EMPTY, id="nothing"),
        pytest.param(b": ping\n\n: ping\n\n", AnswerFault.EMPTY, id="comments"),
        pytest.param(ROLE, AnswerFault.EMPTY, id="a role"),
        pytest.param(ROLE + STOP + DONE, AnswerFault.EMPTY, id="nothing to say"),
        pytest.param(b'data: {"choices": []}\n\n' + DONE, AnswerFault.EMPTY, id="no choices"),
        pytest.param(HI, AnswerFault.UNFINISHED, id="no end"),
        pytest.param(HI + STOP, None, id="no DONE"),
        pytest.param(HI + DONE, None, id="no reason"),
        pytest.param(STOP.replace(b'"stop"', b'"length"'), None, id="no room for a token"),
        pytest.param(STOP.replace(b'"stop"', b'"content_filter"'), None, id="filtered"),
    ],
)
def test_a_stream_that_ends(raw: bytes, fault: AnswerFault | None) -> None:
    """An empty or unfinished answer is none, unless its reason says that it could not be more."""
    assert _read(Format.EVENTS, [raw])[1].at_the_end() is fault


@pytest.mark.parametrize(
    ("framing", "raw", "fault"),
    [
        pytest.param(Format.EVENTS, b" <!doctype html>", AnswerFault.PAGE, id="page"),
        pytest.param(Format.LINES, b"<html>", AnswerFault.PAGE, id="page for lines"),
        pytest.param(Format.OPAQUE, b"<html>", AnswerFault.PAGE, id="page for anything"),
        pytest.param(Format.EVENTS, b'{"choices": []}', AnswerFault.NOT_A_STREAM, id="JSON"),
        pytest.param(Format.EVENTS, b"[]", AnswerFault.NOT_A_STREAM, id="a list"),
        pytest.param(Format.EVENTS, b"data: " + b"x" * 200, AnswerFault.TOO_LONG, id="too long"),
    ],
)
def test_what_is_no_stream(framing: Format, raw: bytes, fault: AnswerFault) -> None:
    """A page, JSON in one piece and a line without an end are known by their bytes, not by their type."""
    with pytest.raises(WrongAnswer) as wrong:
        list(Reader(framing, longest=100).feed(raw))
    assert wrong.value.fault is fault


CHAT = {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
EMPTY = {"choices": [{"message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        pytest.param(CHAT, None, id="answer"),
        pytest.param({"choices": []}, AnswerFault.EMPTY, id="no choices"),
        pytest.param({}, AnswerFault.EMPTY, id="nothing"),
        pytest.param(EMPTY, AnswerFault.EMPTY, id="no text"),
        pytest.param({"choices": [{"message": {}, "finish_reason": "length"}]}, None, id="cut"),
        pytest.param({"error": {"message": "x"}}, {"error": {"message": "x"}}, id="error"),
        pytest.param({"object": "response", "status": "queued", "output": []}, None, id="in the background"),
        pytest.param(
            {"type": "message", "content": [], "stop_reason": "end_turn"}, AnswerFault.EMPTY, id="messages"
        ),
        pytest.param({"candidates": []}, AnswerFault.EMPTY, id="gemini"),
        pytest.param({"message": {"content": "hi"}, "done": True}, None, id="ollama"),
    ],
)
def test_an_answer_in_one_piece(body: object, wrong: object) -> None:
    """An answer without an answer in it is none."""
    assert whole(Format.EVENTS, json.dumps(body).encode()) == wrong


def test_other_bodies() -> None:
    """A page is never an answer; of what is not a chat's, nothing else is looked at."""
    assert whole(Format.OPAQUE, b"<html>") is AnswerFault.PAGE
    assert whole(Format.OPAQUE, b"mp3") is None
    assert whole(Format.EVENTS, b"mp3") is AnswerFault.UNREADABLE
    assert whole(Format.EVENTS, b"") is AnswerFault.EMPTY


@pytest.mark.parametrize(
    ("path", "query", "framing"),
    [
        ("/v1/chat/completions", "", Format.EVENTS),
        ("/openai/deployments/m/chat/completions", "api-version=1", Format.EVENTS),
        ("/v1/completions", "", Format.EVENTS),
        ("/v1/responses", "", Format.EVENTS),
        ("/v1/messages", "", Format.EVENTS),
        ("/v1beta/models/m:streamGenerateContent", "alt=sse", Format.EVENTS),
        ("/v1beta/models/m:streamGenerateContent", "", Format.ARRAY),
        ("/api/chat", "", Format.LINES),
        ("/api/generate", "", Format.LINES),
        ("/model/m/converse-stream", "", Format.OPAQUE),
        ("/v1/embeddings", "", Format.OPAQUE),
        ("/v1/messages/count_tokens", "", Format.OPAQUE),
    ],
)
def test_framings(path: str, query: str, framing: Format) -> None:
    """The path says how a stream is framed."""
    assert format_of(path, query.encode()) is framing


@pytest.mark.parametrize(
    ("path", "body", "streamed"),
    [
        ("/v1/chat/completions", b'{"stream": true}', True),
        ("/v1/chat/completions", b'{"stream": false}', False),
        ("/v1/chat/completions", b"{}", False),
        ("/v1/chat/completions", b"{", False),
        ("/api/chat", b"{}", True),
        ("/api/chat", b'{"stream": false}', False),
        ("/v1beta/models/m:streamGenerateContent", b"{}", True),
        ("/v1beta/models/m:generateContent", b"{}", False),
        ("/model/m/invoke-with-response-stream", b"{}", True),
        ("/v1/audio/transcriptions", b"--form", False),
    ],
)
def test_what_asks_for_a_stream(path: str, body: bytes, streamed: bool) -> None:
    """The body, or the path."""
    assert is_streamed(path, body) is streamed
