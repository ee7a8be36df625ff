"""What kind of text an answer has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.mcp_server.content_types import ContentType, content_type_of
from litellm_homelab.mcp_server.faults import ToolFault

TEXT = ContentType(is_html=False, charset="")


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("text/html", ContentType(is_html=True, charset="")),
        ("Text/HTML; Charset=UTF-8", ContentType(is_html=True, charset="UTF-8")),
        ('text/html; a=b; charset="koi8-r"', ContentType(is_html=True, charset="koi8-r")),
        ("application/xhtml+xml", ContentType(is_html=True, charset="")),
        *((f"text/{name}", TEXT) for name in ("plain", "markdown", "csv", "xml")),
        *((f"application/{name}", TEXT) for name in ("json", "ld+json", "rss+xml", "yaml", "ndjson")),
        ("", ContentType(is_html=False, charset="", is_unknown=True)),
        ("application/octet-stream", ContentType(is_html=False, charset="", is_unknown=True)),
    ],
)  # fmt: skip
def test_text(header: str, kind: ContentType) -> None:
    """HTML, and text as it is."""
    assert content_type_of(header) == kind


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("application/pdf", "leads to a PDF"),
        ("image/png", "leads to image/png"),
        ("video/mp4; codecs=x", "leads to video/mp4"),
        ("application/zip", "leads to application/zip"),
        ("<script>", "leads to script"),
        ("\x1b[31m!", "leads to 31m"),
        ("?!", "leads to something else"),
    ],
)
def test_what_is_not_text(header: str, why: str) -> None:
    """The fault says what it is, in plain characters."""
    with pytest.raises(ToolFault, match=why):
        content_type_of(header)


@pytest.mark.parametrize(
    ("header", "first", "is_html"),
    [
        ("", b"<!DOCTYPE html><html>", True),
        ("", b"\n <!-- x --> <html>", True),
        ("application/octet-stream", b"plain words", False),
        ("", b"<rss>", False),
        ("text/plain", b"<html>", False),
        ("", b"\xff\xfea\0", False),
    ],
)
def test_the_first_bytes_decide_where_the_header_does_not(header: str, first: bytes, is_html: bool) -> None:
    """What is sent as plain text stays that."""
    assert content_type_of(header).seen_in(first).is_html is is_html


@pytest.mark.parametrize(
    ("header", "first"),
    [("", b"\x89PNG\0\0"), ("text/html", b"%PDF-1.4"), ("application/octet-stream", b"a\0b")],
)
def test_bytes_that_are_not_text(header: str, first: bytes) -> None:
    """Whatever the header says of a PDF."""
    with pytest.raises(ToolFault):
        content_type_of(header).seen_in(first)


@given(st.text(max_size=100), st.binary(max_size=100))
def test_any_header_is_a_kind_or_a_fault(header: str, first: bytes) -> None:
    """Nothing else comes out of it."""
    said = ""
    try:
        content_type_of(header).seen_in(first)
    except ToolFault as fault:
        said = str(fault)
    assert said.isprintable()
