"""Mistakes in a file, in the words of the person who wrote it."""

from __future__ import annotations

from json import JSONDecodeError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

EMPTY = "must not be empty"
EXPECTED = {
    "list_type": "expected a list",
    "string_type": "expected text",
    "model_type": "expected a mapping",
    "dict_type": "expected a mapping",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "literal_error": "expected {expected}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "string_too_short": "expected at least {min_length} characters",
}
"""Pydantic's kinds of error that our files can run into; any other keeps pydantic's own sentence."""
LONGEST = 60
"""Characters of a wrong value that a message repeats."""


def described(error: ErrorDetails, *, secret: bool = False) -> str:
    """What a value should have been, and what it is; of a secret one, or one with a key in it, its kind."""
    kind, bounds = error["type"], error.get("ctx", {})
    if kind.endswith("too_short") and bounds.get("min_length") == 1:
        return EMPTY
    own = f"{error['msg'][0].lower()}{error['msg'][1:]}"
    expected = EXPECTED[kind].format_map(bounds) if kind in EXPECTED else own
    return f"{expected}, got {_measured(error['input']) if secret else shown(error['input'])}"


def _measured(value: object) -> str:
    return f"text of {len(value)}" if isinstance(value, str) else _kind(value)


def shown(value: object) -> str:
    """A value as YAML or JSON knows it: its kind, then the value, cut where it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    kind = _kind(value)
    if value in ("", [], {}):
        return f"empty {kind}"
    text = repr(value)
    return f"{kind} {text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}"


def _kind(value: object) -> str:
    known = {str: "text", int: "number", float: "number", list: "list", dict: "mapping"}
    return known.get(type(value), type(value).__name__)


def reason(error: OSError | ValueError) -> str:
    """Why a file could not be read, without the file's name, which the message has already."""
    if isinstance(error, JSONDecodeError):
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        return f"not JSON: {error.msg} ({line}column {error.colno})"
    return f"not readable: {(isinstance(error, OSError) and error.strerror) or error}"
