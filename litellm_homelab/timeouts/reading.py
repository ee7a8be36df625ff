"""Reads the bytes of a streamed answer as they arrive, torn anywhere: what each event says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

import orjson

from litellm_homelab.timeouts.content import NOTHING, Said, said
from litellm_homelab.timeouts.faults import AnswerFault

LONGEST: Final = 16 * 2**20
"""Bytes held back for one line or object: a picture in base64 fits."""
LINE: Final = re.compile(rb"\r\n|\n|\r(?=[^\n])")
"""An end of a line; a CR at the end of what has arrived may belong to a LF (WHATWG HTML, event streams)."""
BOM: Final = b"\xef\xbb\xbf"
DONE: Final = b"[DONE]"
STOP: Final = Said(finish="stop")


class Format(Enum):
    """How the events of a stream are framed."""

    EVENTS = "server-sent events"
    LINES = "one JSON object a line"
    ARRAY = "one JSON array, object by object"
    OPAQUE = "a framing that is not known here: each byte counts as content"


EVENTS: Final = re.compile(r"/(?:chat/completions|completions|responses|messages)$")
LINES: Final = re.compile(r"/api/(?:chat|generate)$")
GEMINI: Final = re.compile(r":(?:streamG|g)enerateContent$")
STREAMS: Final = re.compile(r":stream\w+$|/invoke-with-response-stream$|/converse-stream$")
"""Paths that say themselves that their answer is a stream: Gemini, Vertex AI, Bedrock."""

KEY: Final = b'"stream"'
"""Clients write this key without escapes."""


def format_of(path: str, query: bytes) -> Format:
    """How a stream from this path of an upstream is framed."""
    if EVENTS.search(path):
        return Format.EVENTS
    if LINES.search(path):
        return Format.LINES
    if GEMINI.search(path):
        return Format.EVENTS if b"alt=sse" in query else Format.ARRAY
    return Format.OPAQUE


def is_streamed(path: str, body: bytes) -> bool:
    """Whether a request asks for a stream; Ollama's own API streams by default."""
    if STREAMS.search(path):
        return True
    if KEY not in body and not LINES.search(path):
        return False
    if body.lstrip()[:1] != b"{":
        return False
    try:
        asked = orjson.loads(body).get("stream")
    except orjson.JSONDecodeError:
        return False
    return asked is True or (asked is None and LINES.search(path) is not None)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that belong together, and what they say."""

    raw: bytes
    said: Said


class WrongAnswer(ValueError):
    """The answer is not a stream of the expected format."""

    def __init__(self, fault: AnswerFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class Reader:
    """
    Splits a stream into units; feed it chunks, then end it.

    The units together are the stream, byte for byte.
    """

    def __init__(self, framing: Format, *, longest: int = LONGEST) -> None:
        self._framing = framing
        self._longest = longest
        self._held = bytearray()
        self._seen = 0
        """Bytes of `_held` in which no end was found."""
        self._began = False
        self._event = b""
        self._data: list[bytes] = []
        self._objects = Objects()

    @property
    def held(self) -> bytes:
        """What has arrived of a unit that is not complete."""
        return bytes(self._held)

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """
        Give back the units that this chunk completes.

        Raises:
            WrongAnswer: the answer is a page, or JSON where events were asked for.

        """
        self._held += chunk
        if not self._began:
            self._begin()
        if self._began:
            yield from self._split()
        if len(self._held) > self._longest:
            raise WrongAnswer(AnswerFault.TOO_LONG)

    def end(self) -> Iterator[Piece]:
        """Give back what is left, and what it says where it is complete."""
        if not self._held:
            return
        raw, self._held, self._seen = bytes(self._held), bytearray(), 0
        read = {Format.EVENTS: self._of_line, Format.LINES: _of_json}.get(self._framing)
        found = read(raw.strip(b"\r\n")) if read else NOTHING
        if self._data:  # no blank line after the last event
            found = self._joined()
        yield Piece(raw, found)

    def _begin(self) -> None:
        first = bytes(self._held.removeprefix(BOM).lstrip()[:1])
        if len(self._held) < len(BOM) and BOM.startswith(bytes(self._held)):
            return
        self._began = bool(first)
        if first == b"<":
            raise WrongAnswer(AnswerFault.PAGE)
        if first in (b"{", b"[") and self._framing is Format.EVENTS:
            raise WrongAnswer(AnswerFault.NOT_A_STREAM)

    def _split(self) -> Iterator[Piece]:
        if self._framing is Format.OPAQUE:
            yield self._taken(len(self._held), Said(content=True))
        elif self._framing is Format.ARRAY:
            for end, raw in self._objects.feed(self._held):
                yield self._taken(end, _of_json(raw))
        else:
            read = self._of_line if self._framing is Format.EVENTS else _of_json
            yield from self._lines(read)

    def _lines(self, read: Callable[[bytes], Said]) -> Iterator[Piece]:
        start = 0
        while match := LINE.search(self._held, max(start, self._seen)):
            raw = bytes(self._held[start : match.end()])
            yield Piece(raw, read(raw.rstrip(b"\r\n")))
            start, self._seen = match.end(), 0
        del self._held[:start]
        self._seen = max(0, len(self._held) - 1)

    def _taken(self, end: int, what: Said) -> Piece:
        raw = bytes(self._held[:end])
        del self._held[:end]
        return Piece(raw, what)

    def _of_line(self, line: bytes) -> Said:
        """What a line of server-sent events says; an event may have its JSON in several `data:` lines."""
        line = line.removeprefix(BOM)
        if not line:
            found = self._joined() if self._data else NOTHING
            self._event = b""
            return found
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._event = value
        if name != b"data":
            return NOTHING
        if not self._data and value.strip() == DONE:
            return STOP
        document = _parsed(value) if not self._data else None
        if document is None:
            self._data.append(value)
            return NOTHING
        return self._named(document)

    def _joined(self) -> Said:
        raw, self._data = b"\n".join(self._data), []
        return self._named(_parsed(raw))

    def _named(self, document: object) -> Said:
        if self._event == b"error" and isinstance(document, dict):
            return Said(error=document)
        return said(document)


class Objects:
    """Finds the objects of a JSON array that has not arrived in full."""

    def __init__(self) -> None:
        self._place = 0
        self._start = 0
        self._depth = 0
        self._in_text = False
        self._escaped = False

    def feed(self, held: bytearray) -> Iterator[tuple[int, bytes]]:
        """
        (how far it goes in `held`, its bytes) of each object that is complete.

        The caller takes as much off `held` before it asks for the next.
        """
        while self._place < len(held):
            byte = held[self._place]
            self._place += 1
            if self._in_text:
                self._text(byte)
            elif byte == ord('"'):
                self._in_text = True
            elif byte == ord("{"):
                self._start = self._place - 1 if self._depth == 0 else self._start
                self._depth += 1
            elif byte == ord("}"):
                self._depth -= 1
                if self._depth == 0:
                    end, self._place = self._place, 0
                    yield end, bytes(held[self._start : end])

    def _text(self, byte: int) -> None:
        if self._escaped:
            self._escaped = False
        elif byte == ord("\\"):
            self._escaped = True
        elif byte == ord('"'):
            self._in_text = False


def _of_json(raw: bytes) -> Said:
    return said(_parsed(raw.removeprefix(BOM)))


def _parsed(raw: bytes) -> object:
    """JSON, None where it is none; NaN and half surrogates, which orjson refuses, are in no event's frame."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
