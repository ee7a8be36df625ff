"""What kind of text an answer has, by its header and its first bytes; the rest is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from litellm_homelab.mcp_server.faults import ToolFault

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_TEXT: Final = re.compile(
    r"text/.+|application/(.+\+)?(json|xml|yaml)|application/(x-)?(javascript|ndjson|jsonl?|toml|yaml|sh|tex)"
)
_UNKNOWN: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "unknown/unknown"})
_LOOKS_LIKE_HTML: Final = re.compile(
    rb"\s*(<!--.*?-->\s*)?<(!doctype\s+html|html|head|body|title|meta)\b", re.IGNORECASE | re.DOTALL
)
_PDF: Final = (
    "The address leads to a PDF. Only web pages, text and JSON can be read; look for an HTML version."
)


@dataclass(frozen=True, slots=True)
class ContentType:
    """A kind of text, and the encoding that the header names."""

    is_html: bool
    charset: str
    is_unknown: bool = False
    """The header does not say; the first bytes do."""

    def seen_in(self, first: bytes) -> ContentType:
        """
        The same, with what the first bytes show.

        Raises:
            ToolFault: they are not text.

        """
        if first.startswith(b"%PDF-"):
            raise ToolFault(_PDF)
        if not self.is_unknown:
            return self
        if b"\0" in first and not first.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ToolFault(
                "The address leads to a file that is not text. Only web pages, text and JSON can be read."
            )
        return replace(self, is_html=bool(_LOOKS_LIKE_HTML.match(first)), is_unknown=False)


def content_type_of(header: str) -> ContentType:
    """
    The kind of text that a `content-type` announces.

    Raises:
        ToolFault: it announces something else, such as a picture.

    """
    name, _, parameters = header.partition(";")
    name = name.strip().lower()
    found = re.search(r"(?:^|;)\s*charset\s*=\s*([^;]{1,60})", parameters, re.IGNORECASE)
    charset = found[1].strip(" \"'") if found else ""
    if name in _HTML:
        return ContentType(is_html=True, charset=charset)
    if _TEXT.fullmatch(name):
        return ContentType(is_html=False, charset=charset)
    if name in _UNKNOWN:
        return ContentType(is_html=False, charset=charset, is_unknown=True)
    if name == "application/pdf":
        raise ToolFault(_PDF)
    shown = re.sub(r"[^a-z0-9./+_-]", "", name)[:60]
    raise ToolFault(
        f"The address leads to {shown or 'something else'}. Only web pages, text and JSON can be read."
    )
