"""Reads bytes as text, in the encodings of the web and in no other of Python's."""

from __future__ import annotations

import codecs
import re
from typing import Final

_NAMES: Final = re.compile(
    r"utf-8|utf-16(-[lb]e)?|ascii|iso8859-1?[0-9]|cp(125[0-8]|866|874|932|949)|koi8-[ru]|mac-(roman|cyrillic)|"
    r"gb(k|2312|18030)|big5(hkscs)?|euc_(jp|kr)|shift_jis|iso2022_jp|tis-620"
)
"""
Codecs as Python names them, for the labels of the Encoding standard.

Others are left out with reason: `idna` takes quadratic time, `unicode_escape` and `utf-7` hide text.
"""
_AS_BROWSERS_DO: Final = {"ascii": "cp1252", "iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED: Final = re.compile(
    rb"<(?:meta|\?xml)\b[^>]{0,500}?(?:charset|encoding)\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE
)
_HEAD: Final = 4096
"""Bytes in which a page declares its encoding; browsers look at 1024."""


def decoded(body: bytes, label: str, *, is_whole: bool = True) -> str:
    """
    A body as text: by its byte order mark, the header's label, its own declaration, else a guess.

    The guess is UTF-8, or Windows-1252 where it is not that. What cannot be read becomes U+FFFD. `is_whole`
    false: the last character may be cut.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, errors="replace")
    declared = _DECLARED.search(body[:_HEAD])
    for one in (label, declared[1].decode("ascii") if declared else ""):
        if codec := codec_of(one):
            return body.decode(codec, errors="replace")
    return _guessed(body, is_whole=is_whole)


def codec_of(label: str) -> str | None:
    """Python's codec for a label of the web; None for one that is not known or not used there."""
    try:
        name = codecs.lookup(label.strip().strip("\"'")).name if label.isascii() else ""
    except (LookupError, ValueError):
        return None
    return _AS_BROWSERS_DO.get(name, name) if _NAMES.fullmatch(name) else None


def _guessed(body: bytes, *, is_whole: bool) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(body, final=is_whole)
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")
