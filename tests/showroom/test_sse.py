"""Server-sent events: rewritten alike however the bytes arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.showroom import sse
from litellm_homelab.showroom.sse import FrameTooLong, Rewriter


def renamed(body: Mapping[str, Any]) -> dict[str, Any]:
    """The change of these tests: the model becomes `main`."""
    return {**body, **({"model": "main"} if "model" in body else {})}


def rewritten(*chunks: bytes) -> bytes:
    """All that comes out for these chunks."""
    rewriter = Rewriter(renamed)
    return b"".join(frame for chunk in chunks for frame in rewriter.feed(chunk)) + rewriter.flush()


@pytest.mark.parametrize(
    ("stream", "after"),
    [
        pytest.param(b'data: {"model":"up"}\n\n', b'data: {"model":"main"}\n\n', id="one event"),
        pytest.param(b'data:{"model":"up"}\n\n', b'data: {"model":"main"}\n\n', id="no space"),
        pytest.param(
            b'event: message_start\r\ndata: {"model": "up", "n": 1}\r\n\r\n',
            b'event: message_start\r\ndata: {"model":"main","n":1}\r\n\r\n',
            id="carriage returns",
        ),
        pytest.param(
            b'data: {"model":"up"}\r\rdata: [DONE]\r\r',
            b'data: {"model":"main"}\r\rdata: [DONE]\r\r',
            id="cr",
        ),
        pytest.param(b"data: [DONE]\n\n", b"data: [DONE]\n\n", id="the end"),
        pytest.param(b": ping\n\n", b": ping\n\n", id="a comment"),
        pytest.param(
            b'data: {"a":  1}\n\n', b'data: {"a":  1}\n\n', id="nothing to change, not a byte changed"
        ),
        pytest.param(b"data: {not json\n\n", b"data: {not json\n\n", id="not JSON"),
        pytest.param(b"data: [1, 2]\n\n", b"data: [1, 2]\n\n", id="a list"),
        pytest.param(b"data: \xff\xfe\n\n", b"data: \xff\xfe\n\n", id="not UTF-8"),
        pytest.param(b'data: {"model":"up"}', b'data: {"model":"main"}', id="cut off"),
        pytest.param(
            b'data: {"model":"up","t":"\\ud83d"}\n\n',
            b'data: {"model":"main","t":"\\ud83d"}\n\n',
            id="half an emoji",
        ),
        pytest.param(b"data: " + b"[" * 100_000 + b"\n\n", b"data: " + b"[" * 100_000 + b"\n\n", id="deep"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_only_the_json_of_data_lines_changes(stream: bytes, after: bytes) -> None:
    """Every other byte is passed on as it came."""
    assert rewritten(stream) == after


TEXT = st.text(max_size=20)
EVENT = st.one_of(
    st.fixed_dictionaries({"model": TEXT, "text": TEXT}).map(json.dumps),
    st.fixed_dictionaries({"model": TEXT, "text": TEXT}).map(
        lambda body: json.dumps(body, ensure_ascii=False)
    ),
    st.sampled_from(["[DONE]", "{", "", "7"]),
).map(lambda data: f"data: {data}".encode("utf-8", "ignore"))
LINE = st.one_of(EVENT, st.sampled_from([b"", b"event: x", b": ping", b"id: 7"]), st.binary(max_size=12))
END = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b"\r\n\r\n", b"\r\r"])
STREAM = st.lists(st.tuples(LINE, END), max_size=10).map(lambda lines: b"".join(a + b for a, b in lines))


@given(stream=STREAM, data=st.data())
def test_however_the_bytes_are_torn_the_output_is_the_same(stream: bytes, data: st.DataObject) -> None:
    """An upstream's chunks end anywhere: within a line end, a character, a word."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert rewritten(*chunks) == rewritten(stream)
    assert rewritten(*(stream[n : n + 1] for n in range(len(stream)))) == rewritten(stream)


@given(stream=STREAM)
def test_without_a_change_no_byte_changes(stream: bytes) -> None:
    """A change that changes nothing gives back what came in."""
    rewriter = Rewriter(dict)
    assert b"".join(rewriter.feed(stream)) + rewriter.flush() == stream


def test_a_finished_event_is_not_held_back() -> None:
    """What is complete leaves at once: the client sees the stream's pace."""
    rewriter = Rewriter(renamed)
    assert list(rewriter.feed(b'data: {"model":"up"}\n\ndata: {"mod')) == [b'data: {"model":"main"}\n\n']
    assert list(rewriter.feed(b'el":"up"}\n\n')) == [b'data: {"model":"main"}\n\n']
    assert rewriter.flush() == b""


def test_an_event_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upstream cannot fill the gateway's memory."""
    monkeypatch.setattr(sse, "LONGEST_FRAME", 100)
    rewriter = Rewriter(renamed)
    assert list(rewriter.feed(b"x" * 100)) == []
    with pytest.raises(FrameTooLong, match="more than 100 bytes"):
        list(rewriter.feed(b"x"))
