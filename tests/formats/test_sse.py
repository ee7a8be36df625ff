"""Server-sent events: rewritten alike however the bytes arrive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.formats import sse
from litellm_homelab.formats.sse import FrameTooLong, Rewriter


def renamed(body: Any) -> Any:
    """The change of these tests: the model becomes `main`."""
    return {**body, "model": "main"} if isinstance(body, Mapping) and "model" in body else body


def scrubbed(text: str) -> str:
    """What these tests make of a text: the upstream's name is taken out."""
    return text.replace("SECRET", "upstream")


def same(body: Any) -> Any:
    """No change."""
    return body


def rewritten(*chunks: bytes) -> bytes:
    """All that comes out for these chunks."""
    rewriter = Rewriter(renamed, scrubbed)
    return b"".join(frame for chunk in chunks for frame in rewriter.feed(chunk)) + rewriter.flush()


@pytest.mark.parametrize(
    ("stream", "after"),
    [
        pytest.param(b'data: {"model":"up"}\n\n', b'data: {"model":"main"}\n\n', id="one event"),
        pytest.param(b'data:{"model":"up"}\n\n', b'data: {"model":"main"}\n\n', id="no space"),
        pytest.param(
            b'event: message_start\r\ndata: {"model": "up", "n": 1}\r\n\r\n',
            b'event: message_start\ndata: {"model":"main","n":1}\n\n',
            id="carriage returns",
        ),
        pytest.param(
            b'data: {"model":"up"}\r\rdata: [DONE]\r\r',
            b'data: {"model":"main"}\n\ndata: [DONE]\n\n',
            id="cr",
        ),
        pytest.param(b"data: [DONE]\n\n", b"data: [DONE]\n\n", id="the end"),
        pytest.param(b": ping\n\n", b": ping\n\n", id="a comment"),
        pytest.param(b'data: {"a":  1}\n\n', b'data: {"a":1}\n\n', id="nothing to change, but written anew"),
        pytest.param(
            b'data: {"model":"SECRET","model":"up"}\n\n', b'data: {"model":"main"}\n\n', id="a key twice"
        ),
        pytest.param(b"data: [1, 2]\n\n", b"data: [1,2]\n\n", id="a list"),
        pytest.param(b"data: SECRET is up\n\n", b"data: upstream is up\n\n", id="text"),
        pytest.param(b"data: \xff\xfe\n\n", b"data: \xef\xbf\xbd\xef\xbf\xbd\n\n", id="not UTF-8"),
        pytest.param(b": SECRET PROCESSING\n\n", b": upstream PROCESSING\n\n", id="a comment with a name"),
        pytest.param(b"event: SECRET\n\n", b"event: upstream\n\n", id="an event's name"),
        pytest.param(b'data: {"model":"up"}', b'data: {"model":"main"}', id="cut off"),
        pytest.param(
            b'data: {"model":"up","t":"\\ud83d"}\n\n',
            b'data: {"model":"main","t":"\\ud83d"}\n\n',
            id="half an emoji",
        ),
        pytest.param(
            'data: {"model":"up","t":"\u00e4\u4e2d"}\n\n'.encode(),
            'data: {"model":"main","t":"\u00e4\u4e2d"}\n\n'.encode(),
            id="no ASCII",
        ),
        pytest.param(
            b'data: {"model":\ndata:"SECRET"}\nid: 7\n\n',
            b'data: {"model":"main"}\nid: 7\n\n',
            id="several lines of data",
        ),
        pytest.param(
            b'data: {"model":\r\ndata: "SECRET"}\r\n\r\n',
            b'data: {"model":"main"}\n\n',
            id="lines with CRLF",
        ),
        pytest.param(b'data: {"model":"up"}\n\r\n', b'data: {"model":"main"}\n\n', id="mixed line ends"),
        pytest.param(
            b'\xef\xbb\xbfdata: {"model":"SECRET"}\n\n', b'data: {"model":"main"}\n\n', id="a byte order mark"
        ),
        pytest.param(
            b'data: \xef\xbb\xbf{"model":"SECRET"}\n\n', b'data: {"model":"main"}\n\n', id="one in the data"
        ),
        pytest.param(
            b'data: {"model":"SECRET","n":NaN,"m":-Infinity}\n\n',
            b'data: {"model":"main","n":null,"m":null}\n\n',
            id="no numbers",
        ),
        pytest.param(
            b'data: {"model":"SECRET","n":' + b"7" * 4400 + b"}\n\n",
            b'data: {"model":"main","n":"' + b"7" * 4400 + b'"}\n\n',
            id="an integer that Python does not read",
        ),
        pytest.param(
            b'data: {"model":"SECRET","n":' + b'{"a":' * 330 + b"1" + b"}" * 331 + b"\n\n",
            b'data: {"model":"main","n":' + b'{"a":' * 330 + b"1" + b"}" * 331 + b"\n\n",
            id="330 objects in each other",
        ),
        pytest.param(b'data: {"model":"SECRET"\n\n', sse.UNREADABLE + b"\n\n", id="broken JSON"),
        pytest.param(b'data: "SECRET\n\n', sse.UNREADABLE + b"\n\n", id="broken text of JSON"),
        pytest.param(b"data: " + b"[" * 100_000 + b"\n\n", sse.UNREADABLE + b"\n\n", id="too deep"),
        pytest.param(b"SECRET: 7\n\n", sse.UNREADABLE + b"\n\n", id="a field that no client reads"),
        pytest.param(b'{"model":"SECRET"}\n\n', b'data: {"model":"main"}\n\n', id="JSON without data:"),
    ],
)
def test_what_leaves_is_what_was_understood(stream: bytes, after: bytes) -> None:
    """JSON is written anew, text is scrubbed, and what cannot be read does not leave."""
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
def test_twice_is_once(stream: bytes) -> None:
    """What has been rewritten is readable, and stays."""
    once = rewritten(stream)
    assert rewritten(once) == once


def test_a_finished_event_is_not_held_back() -> None:
    """What is complete leaves at once: the client sees the stream's pace."""
    rewriter = Rewriter(renamed, scrubbed)
    assert list(rewriter.feed(b'data: {"model":"up"}\n\ndata: {"mod')) == [b'data: {"model":"main"}\n\n']
    assert list(rewriter.feed(b'el":"up"}\n\n')) == [b'data: {"model":"main"}\n\n']
    assert rewriter.flush() == b""


def test_an_event_without_an_end_is_given_up() -> None:
    """An upstream cannot fill the gateway's memory."""
    rewriter = Rewriter(renamed, scrubbed, longest=100)
    assert list(rewriter.feed(b"x" * 100)) == []
    with pytest.raises(FrameTooLong, match="more than 100 bytes"):
        list(rewriter.feed(b"x"))


@pytest.mark.parametrize("size", [1, 7, 4096, 65536])
@pytest.mark.parametrize("frames", [1, 50])
def test_the_work_grows_with_the_bytes(size: int, frames: int) -> None:
    """However small the chunks are, each byte is searched a fixed number of times."""
    total = 20_000 if size == 1 else 400_000
    frame = b'data: {"text":"' + b"x" * (total // frames) + b'"}\n\n'
    stream = frame * frames
    rewriter = Rewriter(same, str)
    sent = sum(
        len(out) for at in range(0, len(stream), size) for out in rewriter.feed(stream[at : at + size])
    )
    assert sent == len(stream)
    assert rewriter.steps <= len(stream) + (sse.TORN + 1) * (len(stream) // size + frames + 1)


def test_the_longest_frame_is_stated() -> None:
    """docs/configuration.md says this number."""
    assert sse.LONGEST_FRAME == 8 * 2**20
