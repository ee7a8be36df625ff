"""Server-sent events, frame by frame, as an upstream's raw bytes arrive torn anywhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
"""A blank line ends a frame (WHATWG HTML, server-sent events)."""
LONGEST_FRAME = 16 * 1024 * 1024
"""Bytes held back for one frame; more than that is no event stream."""


class FrameTooLong(ValueError):
    """An upstream sent more than `LONGEST_FRAME` bytes without ending a frame."""


class Rewriter:
    """
    Applies a change to the JSON of every `data:` line, keeping all other bytes as they are.

    Feed it chunks, send on what it gives back, and flush it at the end.
    """

    def __init__(self, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self._change = change
        self._held = b""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Give back the frames that this chunk completes."""
        self._held += chunk
        while match := END.search(self._held):
            frame, self._held = self._held[: match.end()], self._held[match.end() :]
            yield self._rewritten(frame)
        if len(self._held) > LONGEST_FRAME:
            raise FrameTooLong(f"a server-sent event of more than {LONGEST_FRAME} bytes")

    def flush(self) -> bytes:
        """Give back what is left of an unfinished last frame."""
        held, self._held = self._held, b""
        return self._rewritten(held) if held else b""

    def _rewritten(self, frame: bytes) -> bytes:
        lines = re.split(rb"(\r\n|\n|\r)", frame)
        return b"".join(self._line(line) for line in lines)

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(b"data:"):
            return line
        try:
            body = json.loads(line[len(b"data:") :])
        except (ValueError, RecursionError):
            return line
        if not isinstance(body, dict):
            return line
        changed = self._change(body)
        if changed == body:
            return line
        # Escaped: half of a surrogate pair, where an upstream cuts an emoji in two, has no UTF-8.
        return b"data: " + json.dumps(changed, separators=(",", ":")).encode()
