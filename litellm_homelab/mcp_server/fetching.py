"""`web.fetch`: a page as text for a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import anyio
import anyio.to_process

from litellm_homelab.mcp_server import extraction, texts
from litellm_homelab.mcp_server.charsets import decoded
from litellm_homelab.mcp_server.extraction import Extract
from litellm_homelab.mcp_server.faults import ToolFault
from litellm_homelab.mcp_server.reading import WebPage

EXTRACTION_SECONDS: Final = 10.0
"""For finding the text of a page, and as much again for the simplest way; clients wait 60 s for a tool."""
PROCESSES: Final = 2
"""Pages whose text is looked for at a time; each is a process."""


class ReadsPages(Protocol):
    """What reads a page."""

    async def read(self, url: str) -> WebPage:
        """The page; raises ToolFault."""
        ...


@dataclass(frozen=True, slots=True)
class WebFetch:
    """Reads a page, looks for its text, and gives a piece of it."""

    reader: ReadsPages
    seconds: float = EXTRACTION_SECONDS

    async def fetch(self, url: str, *, as_html: bool, start: int, most: int) -> str:
        """
        A heading with address and title, the piece of text, and notes on what is left out.

        Raises:
            ToolFault: the page cannot be read, or has no text.

        """
        page = await self.reader.read(url)
        found = await self._extract(page, as_html=as_html)
        if not found.text:
            raise ToolFault("The page has no text; it may need a browser that runs its scripts.")
        piece, note = texts.piece_of(found.text, start, most)
        heading = f"URL: {texts.one_line(page.url, 2000)}" + (
            f"\nTitle: {found.title}" if found.title else ""
        )
        cut = f"[Not the whole page was read: {page.left_out}.]" if page.left_out else ""
        return "\n\n".join(part for part in (heading, piece, note, cut) if part)

    async def _extract(self, page: WebPage, *, as_html: bool) -> Extract:
        text = decoded(page.body, page.type.charset, is_whole=not page.left_out)
        if page.type.is_html:
            found = await self._of_html(text, page.url, as_html=as_html)
            return Extract(texts.one_line(found.title, 300), texts.seen(found.text))
        return Extract("", texts.seen(text))

    async def _of_html(self, text: str, url: str, *, as_html: bool) -> Extract:
        ways = (extraction.trimmed_html,) if as_html else (extraction.clean_text, extraction.visible_text)
        for extract in ways:
            if found := await self._apart(extract, text, url):
                return found
        raise ToolFault(f"The HTML of the page is so odd that {self.seconds:g} seconds are not enough.")

    async def _apart(self, extract: Callable[[str, str], Extract], text: str, url: str) -> Extract | None:
        """In a process of its own; None where that took too long and was killed."""
        try:
            with anyio.move_on_after(self.seconds):
                return await anyio.to_process.run_sync(
                    extract, text, url, cancellable=True, limiter=_limiter()
                )
        except anyio.BrokenWorkerProcess as error:
            raise ToolFault("The HTML of the page cannot be read.") from error
        return None


_limiters: Final[anyio.lowlevel.RunVar[anyio.CapacityLimiter]] = anyio.lowlevel.RunVar("homelab_extraction")


def _limiter() -> anyio.CapacityLimiter:
    limiter = _limiters.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(PROCESSES)
        _limiters.set(limiter)
    return limiter
