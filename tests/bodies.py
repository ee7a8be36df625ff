"""Bodies that are no JSON object, whatever LiteLLM would make of them; tried in process and over a socket."""

from __future__ import annotations

from typing import Final

DEPTH: Final = 10_000
"""Arrays inside each other: deeper than any reader of JSON goes."""
_NESTED: Final = b"[" * DEPTH + b"]" * DEPTH

NO_OBJECT: Final = {
    "list": b"[1,2]",
    "text": b'"x"',
    "null": b"null",
    "number": b"5",
    "blanks": b"  \n[]",
    "byte-order-mark": b"\xef\xbb\xbf[]",
    "no-utf8": b"\xff\xfe{}",
    "no-json": b"not json",
    "no-utf8-in-an-object": b'{"model": "main\xff"}',
    "nested": _NESTED,
    "nested-in-an-object": b'{"model": ' + _NESTED + b"}",
}
