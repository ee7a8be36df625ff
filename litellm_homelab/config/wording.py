"""Mistakes in a file, in the words of the person who wrote it; nothing that looks like a key is repeated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from json import JSONDecodeError
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

EMPTY = "must not be empty"
EXPECTED = {
    "list_type": "expected a list",
    "string_type": "expected a string",
    "string_unicode": "expected a string of characters",
    "model_type": "expected a mapping",
    "dict_type": "expected a mapping",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "finite_number": "expected a finite number",
    "greater_than": "expected more than {gt:g}",
    "literal_error": "expected {expected}",
    "greater_than_equal": "expected at least {ge}",
    "less_than_equal": "expected at most {le}",
    "string_too_short": "expected at least {min_length} characters",
    "invalid_key": "a setting's name must be a string",
}
"""Pydantic's kinds of error that our files can run into; any other keeps pydantic's own sentence."""
LONGEST: Final = 60
"""Characters of a wrong value that a message repeats."""
LONGEST_NAME: Final = 200
CLOSE: Final = 0.7
"""How like a known name must be (difflib's ratio): `fst` and `fast` have 0.86, `main` and `brain` 0.67."""
HIDDEN: Final = "(hidden: it looks like a key)"
_KEY: Final = re.compile(
    r"\b(?:(?:sk|pk|rk)[-_]|gsk_|csk-|hf_|xai-|nvapi-|r8_|gh[pous]_|github_pat_|glpat-|xox[abp]-|AIza|AKIA|eyJ)"
    r"[^\s'\"]{4,}"  # what providers put before their keys
    r"|\bBearer\s+\S+"
    r"|\b(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{20,}"  # 20 letters and digits without a break
    r"|//[^/@\s]*:[^/@\s]*@"  # a password in a URL
)
"""What no message repeats, wherever it is found: better a name too many hidden than a key shown."""
_NAMED: Final = re.compile(r"\w*(?:key|secret|token|password)\s*[\s:=]\s*\S", re.IGNORECASE)
"""A key with its name before it: what YAML makes of `key sk-...` and of `{key:sk-...}`."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'main'?` where a known name is close to one that is not known; else nothing."""
    found = closest(name, known)
    return f"; did you mean {quoted(found)}?" if found is not None else ""


def closest(name: object, known: Iterable[str], likeness: float = CLOSE) -> str | None:
    """The known name that an unknown one was probably meant to be; case, `-` and `_` do not count."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        return None
    folded = {_folded(one): one for one in known if one != name}
    close = get_close_matches(_folded(name), folded, 1, likeness)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).lower()


def looks_like_a_key(text: str) -> bool:
    """Whether a text is, or has in it, what may be a key."""
    return _KEY.search(text) is not None or _NAMED.match(text.lstrip()) is not None


def hide_keys(text: str) -> str:
    """The text with `(hidden)` in the place of whatever looks like a key."""
    return _KEY.sub("(hidden)", text)


def quoted(value: object) -> str:
    """A name or a value between quotes, cut where it is long; nothing of one that looks like a key."""
    if looks_like_a_key(plain(value)):
        return HIDDEN
    text = repr(value) if isinstance(value, str) else plain(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def plain(value: object) -> str:
    """A value as text, without quotes, of any kind and size: `str` raises for an int of 4,301 digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and value.bit_length() > 64:
        return "a very large number"
    return str(value) if isinstance(value, int | float) or value is None else _kind(value)


def described(error: ErrorDetails, *, secret: bool = False) -> str:
    """What a value should have been, and what it is; of a secret one, or one with a key in it, its kind."""
    kind, bounds = error["type"], error.get("ctx", {})
    if kind.endswith("too_short") and bounds.get("min_length") == 1:
        return EMPTY
    own = error["msg"].removeprefix("Value error, ")  # a validator of ours says what is expected
    own = f"{own[0].lower()}{own[1:]}"
    expected = EXPECTED[kind].format_map(bounds) if kind in EXPECTED else hide_keys(own)
    if kind == "string_too_short":
        return f"{expected}, got {len(error['input'])}"
    return f"{expected}, got {_kind(error['input']) if secret else shown(error['input'])}"


def shown(value: object) -> str:
    """What a value is, as YAML or JSON knows it: `'main'`, `5`, `true`, `null`; of a container its kind."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return _kind(value) if value else f"an empty {_kind(value).split()[-1]}"
    if value == "":
        return "an empty string"
    return quoted(value) if isinstance(value, str | int | float) else _kind(value)


def _kind(value: object) -> str:
    known = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    known |= {bool: "true or false", type(None): "null", bytes: "binary data"}
    name = type(value).__name__
    return known.get(type(value), f"{'an' if name[0] in 'aeiou' else 'a'} {name}")


def reason(error: OSError | ValueError | RecursionError) -> str:
    """Why a file could not be read, without the file's name, which the message has already."""
    if isinstance(error, JSONDecodeError):
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        return f"not JSON: {error.msg} ({line}column {error.colno})"
    if isinstance(error, RecursionError):
        return "not readable: nested too deeply"
    return f"not readable: {(isinstance(error, OSError) and error.strerror) or error}"


def one_line(text: str) -> str:
    """The text as one line that can be printed everywhere: what cannot be is escaped."""
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return shown.encode("utf-8", "backslashreplace").decode()
