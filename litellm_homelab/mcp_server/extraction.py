"""
Makes clean text, or trimmed HTML, of a page.

Runs in a process of its own (`fetching.py`), which can be ended: parsers of HTML take long for some pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_WITHOUT_TEXT: Final = (
    "//comment()|//processing-instruction()|//script|//style|//noscript|//template|//iframe|//frame|//object|"
    "//embed|//applet|//svg|//math|//canvas|//audio|//video|//source|//track|//form//select|//input|//textarea|"
    "//button|//link|//meta|//base"
)
_HIDDEN: Final = (
    "//*[@hidden]|//*[@aria-hidden='true']|"
    "//*[contains(translate(@style, 'DISPLAYNOE ', 'displaynoe'), 'display:none')]"
)
"""What a reader of the page does not see: a model should not read it either."""
_KEPT: Final = frozenset(
    {"href", "src", "alt", "title", "colspan", "rowspan", "datetime", "lang", "cite", "start"}
)
_LEADING: Final = ("href", "src", "cite")
_BLOCKS: Final = frozenset(
    {
        "p",
        "div",
        "li",
        "ul",
        "ol",
        "tr",
        "br",
        "hr",
        "pre",
        "table",
        "section",
        "article",
        "blockquote",
        "dt",
        "dd",
    }
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "footer", "main", "nav", "aside", "figure", "figcaption"}
)
_SHORT: Final = 500
"""Characters of text below which there is no main text to look for: all of it is given."""
_LARGE: Final = 1_000_000
"""Characters of HTML above which looking for it takes too long (five seconds for as much)."""
_ENOUGH: Final = 200
"""Characters below which another way may have found more."""


@dataclass(frozen=True, slots=True)
class Extract:
    """A page, made readable."""

    title: str
    text: str


def clean_text(html: str, url: str) -> Extract:
    """
    The main text as Markdown: trafilatura's, else that of readability, else all that is visible.

    The next way is tried where one finds nothing or little, and the longest text is taken then. The last way
    is for pages that are not articles.
    """
    tree = _visible(html, url)
    title, plain, best = _title(tree), _plain(tree), ""
    if len(plain) <= _SHORT or len(html) > _LARGE:
        return Extract(title, plain)
    seen = _written(tree)
    for way in (_trafilatura, _readability):
        best = max(best, _without_fault(way, seen, url), key=len)
        if len(best) >= min(_ENOUGH, len(plain) // 2):
            return Extract(title, best)
    return Extract(title, max(best, plain, key=len))


def visible_text(html: str, url: str) -> Extract:
    """All text that a reader sees: what is left where looking for the main text takes too long."""
    tree = _visible(html, url)
    return Extract(_title(tree), _plain(tree))


def trimmed_html(html: str, url: str) -> Extract:
    """The page's HTML without scripts, styles, hidden parts and most attributes; links are whole."""
    from lxml import etree

    tree = _visible(html, url)
    for element in tree.iter(etree.Element):
        for name, value in [*element.attrib.items()]:
            if name not in _KEPT or (name in _LEADING and not value.startswith(("http://", "https://"))):
                del element.attrib[name]
    text = re.sub(r"[ \t\r\f]+", " ", _written(tree))
    return Extract(_title(tree), re.sub(r"\s*\n\s*", "\n", text).strip())


def _visible(html: str, url: str) -> Any:  # noqa: ANN401 - lxml has no types
    """The tree of a page, without what has no text for a reader."""
    from lxml import etree
    from lxml import html as lxml_html

    # From bytes: a text with an encoding declaration is refused.
    parser = lxml_html.HTMLParser(encoding="utf-8")
    try:
        tree = lxml_html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # there is nothing in it
        tree = lxml_html.document_fromstring("<html></html>")
    _made_absolute(tree, url)
    for element in tree.xpath(f"{_WITHOUT_TEXT}|{_HIDDEN}"):
        if element.getparent() is not None:
            element.drop_tree()
    return tree


def _written(tree: Any) -> str:  # noqa: ANN401 - lxml has no types
    from lxml import etree

    return str(etree.tostring(tree, encoding="unicode", method="html"))


def _made_absolute(tree: Any, url: str) -> None:  # noqa: ANN401 - lxml has no types
    try:
        tree.make_links_absolute(url, resolve_base_href=True, handle_failures="discard")
    except ValueError:  # the page's own base is not an address
        for base in tree.xpath("//base"):
            base.drop_tree()
        tree.make_links_absolute(url, resolve_base_href=False, handle_failures="discard")


def _title(tree: Any) -> str:  # noqa: ANN401 - lxml has no types
    return " ".join(str(tree.findtext(".//title") or tree.findtext(".//h1") or "").split())[:300]


def _plain(tree: Any) -> str:  # noqa: ANN401 - lxml has no types
    """All visible text, a line for each block."""
    from lxml import etree

    pieces: list[str] = []
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        if element.tag in _BLOCKS:
            pieces.append("\n")
        if event == "end" or element.tag != "title":
            pieces.append((element.text if event == "start" else element.tail) or "")
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _trafilatura(html: str, url: str) -> str:
    import trafilatura

    return str(
        trafilatura.extract(
            html, url=url, output_format="markdown", include_comments=False, include_tables=True
        )
        or ""
    )


def _readability(html: str, url: str) -> str:
    from readability import Document

    return _plain(_visible(str(Document(html).summary()), url))


def _without_fault(way: Callable[[str, str], str], html: str, url: str) -> str:
    try:
        return way(html, url).strip()
    except Exception:  # noqa: BLE001 - a page of strangers; the next way may read it
        return ""
