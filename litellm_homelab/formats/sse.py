"""Server-sent events, frame by frame, as an upstream's raw bytes arrive torn anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import orjson

END: Final = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
"""A blank line ends a frame, and each line may end in one of three ways (WHATWG HTML, server-sent events)."""
TORN: Final = 3
"""Bytes of an end of a frame that may have arrived before the rest of it."""
LINES: Final = re.compile(rb"\r\n|\n|\r")
ONE_LINE: Final = re.compile(rb"data: [^\r\n]*\n\n")
"""A frame of one line of data, as servers of the APIs send them."""
BOM: Final = b"\xef\xbb\xbf"
DONE: Final = "[DONE]"
LONGEST_FRAME: Final = 8 * 2**20
"""Bytes held back for one frame: a picture in base64 fits. What sends more than that without a blank line
is no
event stream."""
LONGEST_NUMBER: Final = 4300
"""Digits of an integer that Python reads (`sys.int_info.default_max_str_digits`)."""
UNREADABLE: Final = b": an event that this gateway cannot read was removed"


class FrameTooLong(ValueError):
    """An upstream sent more than `LONGEST_FRAME` bytes without ending a frame."""


class Unreadable(ValueError):
    """Data that begins like JSON and is none, or too deep to be read: what it names cannot be known."""


class Rewriter:
    """
    Applies a change to the JSON of every event, and another to every text that is not JSON.

    Feed it chunks, send on what it gives back, and flush it at the end. Each byte is looked at a fixed number
    of times, however the chunks are cut. JSON leaves as it was understood here, never as it was written: a
    key
    that is there twice, several `data:` lines, or a byte order mark could say something else to a client.
    """

    def __init__(
        self, change: Callable[[Any], Any], text: Callable[[str], str], *, longest: int = LONGEST_FRAME
    ) -> None:
        self._change = change
        self._text = text
        self._longest = longest
        self._held = bytearray()
        self._seen = 0
        self.steps = 0
        """Bytes searched for the end of a frame so far, for tests."""

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        """
        Give back the frames that this chunk completes.

        Raises:
            FrameTooLong: after the frames that are complete.

        """
        whole = END.search(chunk) if not self._held else None
        if whole is None or whole.end() != len(chunk):
            return self._completed(chunk)
        self.steps += len(chunk)
        return (self._rewritten(chunk),)  # one frame: so LiteLLM sends nearly all

    def _completed(self, chunk: bytes) -> Iterator[bytes]:
        self._held += chunk
        start = 0
        while match := END.search(self._held, max(start, self._seen)):
            self.steps += match.end() - max(start, self._seen)
            frame, start = bytes(self._held[start : match.end()]), match.end()
            yield self._rewritten(frame)
        self.steps += len(self._held) - max(start, self._seen)
        del self._held[:start]
        self._seen = max(0, len(self._held) - TORN)
        if len(self._held) > self._longest:
            raise FrameTooLong(f"a server-sent event of more than {self._longest} bytes")

    def flush(self) -> bytes:
        """Give back what is left of an unfinished last frame."""
        held, self._held, self._seen = bytes(self._held), bytearray(), 0
        return self._rewritten(held) if held else b""

    def _rewritten(self, frame: bytes) -> bytes:
        """A frame with its lines ended alike: a CR at the end of a chunk may belong to the LF after it."""
        if ONE_LINE.fullmatch(frame):  # nearly every event
            return self._data(frame[6:-2]) + b"\n\n"
        frame = frame.lstrip(b"\r\n").removeprefix(BOM).lstrip(b"\r\n")
        ended = frame.rstrip(b"\r\n")
        if not ended:
            return b""
        tail = b"\n\n" if END.search(frame, len(ended)) else b"\n" * (len(frame) > len(ended))
        return self._lines(ended) + tail

    def _lines(self, ended: bytes) -> bytes:
        data: list[bytes] = []
        lines: list[bytes | None] = []
        for line in LINES.split(ended):
            name, value = _field(line)
            if name != b"data":
                lines.append(self._other(name, value, line))
                continue
            if not data:
                lines.append(None)  # where the data goes, however many lines it came in
            data.append(value)
        rewritten = self._data(b"\n".join(data)) if data else b""
        return b"\n".join(rewritten if line is None else line for line in lines)

    def _data(self, raw: bytes) -> bytes:
        try:
            text = raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            text = raw.decode("utf-8", "replace")
        if text[:1] != "{" and text.strip() in ("", DONE):
            return b"data: " + text.strip().encode()
        try:
            return b"data: " + written(self._change(read(text)))
        except (Unreadable, RecursionError):
            return UNREADABLE
        except NotJSON:
            return _as_data(self._text(text))

    def _other(self, name: bytes, value: bytes, line: bytes) -> bytes:
        """A line that is not data: a comment, an event's name; what no client reads is removed."""
        if line.lstrip()[:1] in (b"{", b"["):  # no event stream, or one that has lost its `data:`
            return self._data(line)
        if name in (b"event", b"retry", b"id", b""):
            clean = self._text(value.decode("utf-8", "replace"))
            return (name + b": " + clean.encode("utf-8", "replace")).rstrip(b" ")
        return UNREADABLE


class NotJSON(ValueError):
    """Data that does not even begin like JSON, such as a word."""


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    return name, value.removeprefix(b" ") if colon else b""


def _as_data(text: str) -> bytes:
    """Text as data, a line for each of its own."""
    return b"\n".join(b"data: " + line.encode("utf-8", "replace") for line in text.splitlines())


def _null(_: str) -> None:
    """NaN and the infinities are not JSON."""


def _long(digits: str) -> int | str:
    return int(digits) if len(digits) < LONGEST_NUMBER else digits


_DECODER: Final = json.JSONDecoder(parse_constant=_null)
_SLOW_DECODER: Final = json.JSONDecoder(parse_constant=_null, parse_int=_long)


_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def read(text: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """
    JSON from a text; an integer that Python does not read becomes its digits, NaN becomes null.

    Raises:
        NotJSON: it is a text.
        Unreadable: it begins like JSON and cannot be read.

    """
    text = text.lstrip("\ufeff")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        if text.lstrip()[:1] in ("{", "[", '"'):
            raise Unreadable(str(error)) from error
        raise NotJSON(str(error)) from error
    except ValueError:
        return _SLOW_DECODER.decode(text)
    except RecursionError as error:
        raise Unreadable("too deep") from error


def written(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """
    JSON as bytes, on one line.

    Raises:
        Unreadable: it is too deep to be written.

    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # too deep for it, a long integer, half of a surrogate pair
        return _written_slowly(value)


def _written_slowly(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    try:
        return _ENCODE(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, where an upstream cuts an emoji in two
        return json.dumps(value, separators=(",", ":")).encode()
    except RecursionError as error:
        raise Unreadable("too deep") from error
