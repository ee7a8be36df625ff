"""`web.fetch`, behind the reader."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

import pytest

from litellm_homelab.mcp_server import extraction
from litellm_homelab.mcp_server.content_types import ContentType
from litellm_homelab.mcp_server.extraction import Extract
from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.fetching import WebFetch
from litellm_homelab.mcp_server.reading import WebPage

HTML = WebPage(
    "https://example.org/",
    ContentType(is_html=True, charset=""),
    b"<title>T</title><p>one</p><p>two</p>",
)
TEXT = WebPage(
    "https://example.org/a.txt",
    ContentType(is_html=False, charset="koi8-r"),
    "\u0436\r\n1234567890".encode("koi8-r"),
)
SHORT, LONG = 0.3, 60.0


@dataclass(frozen=True, slots=True)
class Reads:
    """A reader that has read one page."""

    page: WebPage

    async def read(self, url: str) -> WebPage:
        """The page, whatever is asked for."""
        return self.page


async def fetched(
    page: WebPage, seconds: float = LONG, *, as_html: bool = False, start: int = 0, most: int = 99
) -> str:
    """What the tool gives for a page."""
    return await WebFetch(Reads(page), seconds).fetch("x", as_html=as_html, start=start, most=most)


def slow(html: str, url: str) -> Extract:
    """An extraction that takes long."""
    time.sleep(60)
    return Extract("", html + url)


def dies(html: str, url: str) -> Extract:
    """An extraction whose process ends, as with a fault in a library of C."""
    os._exit(1)


async def test_html() -> None:
    """Address, title, text."""
    assert await fetched(HTML) == "URL: https://example.org/\nTitle: T\n\none\ntwo"


async def test_trimmed_html() -> None:
    """On request."""
    said = await fetched(HTML, as_html=True)
    assert said.endswith("<p>one</p><p>two</p></body></html>")


async def test_text_comes_in_pieces() -> None:
    """As it is, in its encoding; the notes say how to go on, and that the page was cut."""
    page = replace(TEXT, left_out="the connection broke")
    assert await fetched(page, start=2, most=5) == (
        "URL: https://example.org/a.txt\n\n12345\n\n"
        "[Characters 2 to 7 of 12. For more, call again with start=7.]\n\n"
        "[Not the whole page was read: the connection broke.]"
    )


async def test_an_extraction_that_takes_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """All visible text is given instead; where that takes long too, the fault says so."""
    monkeypatch.setattr(extraction, "clean_text", slow)
    assert "one\ntwo" in await fetched(HTML, 4.0)
    monkeypatch.setattr(extraction, "visible_text", slow)
    with pytest.raises(ToolFault, match="so odd that 0"):
        await fetched(HTML, SHORT)


async def test_an_extraction_that_dies_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this page; the next one is read."""
    monkeypatch.setattr(extraction, "clean_text", dies)
    with pytest.raises(ToolFault, match="cannot be read"):
        await fetched(HTML)
    monkeypatch.undo()
    assert "one\ntwo" in await fetched(HTML)


@pytest.mark.parametrize("body", [b"", b"<script>draw()</script>"])
async def test_a_page_without_text_is_a_fault(body: bytes) -> None:
    """As with pages that scripts draw."""
    with pytest.raises(ToolFault, match="has no text"):
        await fetched(replace(HTML, body=body))
