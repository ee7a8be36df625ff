"""Fields of multipart and urlencoded forms, read as they pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from python_multipart.multipart import MultipartParser, parse_options_header

LONGEST: Final = 8192
"""Bytes of a field's value that are kept: longer than any name of a model."""
MULTIPART: Final = b"multipart/form-data"
URLENCODED: Final = b"application/x-www-form-urlencoded"


class FormReader:
    """
    Reads the fields of a form, files left out, from chunks of its body; starlette's parser does the work.

    A body that is broken is left to LiteLLM, which reads it with the same parser and answers 400.
    """

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        self.found: list[tuple[str, str]] = []
        """Names and values, in order, repeated ones included."""
        self._parser: Any = None
        self._plain = bytearray() if kind == URLENCODED else None
        self._header, self._value, self._data = bytearray(), bytearray(), bytearray()
        self._name: str | None = None
        if kind == MULTIPART and options.get(b"boundary"):
            self._parser = MultipartParser(options[b"boundary"], self._callbacks())  # type: ignore[arg-type]

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        if self._plain is not None:
            self._plain += chunk
        elif self._parser is not None:
            try:
                self._parser.write(chunk)
            except Exception:  # noqa: BLE001 - broken: LiteLLM refuses it
                self._parser = None

    def end(self) -> None:
        """The body is complete."""
        if self._plain:
            self.found += parse_qsl(self._plain.decode("utf-8", "replace"), keep_blank_values=True)
            self._plain = None

    def _callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
        }

    def _begin(self) -> None:
        self._header.clear()
        self._value.clear()
        self._data.clear()
        self._name = None

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            if b"filename" not in options and b"name" in options:
                self._name = options[b"name"].decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._name is not None and len(self._data) < LONGEST:
            self._data.extend(data[start:end])

    def _part_end(self) -> None:
        if self._name is not None:
            self.found.append((self._name, self._data.decode("utf-8", "replace")))
