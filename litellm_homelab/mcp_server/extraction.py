"""
Makes clean text, or trimmed HTML, of a page.

Runs in a process of its own (`fetching.py`), which can be ended: parsers of HTML take long for some pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

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
_UNFIT: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What lxml reads and does not write: no text of XML."""
_TAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
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
    tree = _visible(_parsed(html))
    title, plain, best = _title(tree), _plain(tree), ""
    if len(plain) <= _SHORT or len(html) > _LARGE:
        return Extract(title, plain)
    seen = _written(tree)
    for way in (_trafilatura, _readability):
        best = max(best, _without_fault(way, seen, url), key=len)
        if len(best) >= min(_ENOUGH, len(plain) // 2):
            return Extract(title, best)
    return Extract(title, max(best, plain, key=len))


def visible_text(html: str, _: str) -> Extract:
    """All text that a reader sees: what is left where looking for the main text takes too long."""
    tree = _visible(_parsed(html))
    return Extract(_title(tree), _plain(tree))


def trimmed_html(html: str, url: str) -> Extract:
    """The page's HTML without scripts, styles, hidden parts and most attributes; links are whole."""
    from lxml import etree

    parsed = _parsed(html)
    base = _joined(url, str(parsed.xpath("string(//base/@href)"))) or url
    tree = _visible(parsed)
    for element in tree.iter(etree.Element):
        kept = _kept(element.attrib.items(), base)
        element.attrib.clear()  # one by one, names with odd characters cannot be deleted
        for name, value in kept.items():
            element.set(name, value)
    text = re.sub(r"[ \t\r\f]+", " ", _written(tree))
    return Extract(_title(tree), re.sub(r"\s*\n\s*", "\n", text).strip())


def _kept(attributes: Iterable[tuple[str, str]], base: str) -> dict[str, str]:
    """What is left of an element's attributes; addresses are whole, and of pages."""
    texts = {name: _UNFIT.sub("", value) for name, value in attributes if name in _KEPT}
    whole = {name: _joined(base, value) if name in _LEADING else value for name, value in texts.items()}
    return {name: value for name, value in whole.items() if value is not None}


def _joined(base: str, reference: str) -> str | None:
    try:
        joined = urljoin(base, reference.strip())
    except ValueError:
        return None
    return joined if joined.startswith(("http://", "https://")) else None


def _parsed(html: str) -> Any:  # noqa: ANN401 - lxml has no types
    from lxml import etree
    from lxml import html as lxml_html

    # From bytes: a text with an encoding declaration is refused.
    parser = lxml_html.HTMLParser(encoding="utf-8")
    try:
        return lxml_html.document_fromstring(_UNFIT.sub("", html).encode("utf-8"), parser=parser)
    except etree.ParserError:  # there is nothing in it
        return lxml_html.document_fromstring("<html></html>")


def _visible(tree: Any) -> Any:  # noqa: ANN401 - lxml has no types
    """The tree of a page, without what has no text for a reader."""
    from lxml import etree

    for element in tree.xpath(f"{_WITHOUT_TEXT}|{_HIDDEN}"):
        _drop(element)
    for element in tree.iter(etree.Element):
        if not _TAG.fullmatch(element.tag):  # such as `a<script`, which would be written as it is
            element.tag = "span"
    return tree


def _written(tree: Any) -> str:  # noqa: ANN401 - lxml has no types
    from lxml import etree

    return str(etree.tostring(tree, encoding="unicode", method="html"))


def _drop(element: Any) -> None:  # noqa: ANN401 - lxml has no types
    """Take an element out, and keep what follows it; lxml breaks where that has control characters."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    tail = _UNFIT.sub("", element.tail or "")
    if before is not None:
        before.tail = _UNFIT.sub("", before.tail or "") + tail
    else:
        parent.text = _UNFIT.sub("", parent.text or "") + tail
    parent.remove(element)


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


def _readability(html: str, _: str) -> str:
    from readability import Document

    return _plain(_visible(_parsed(str(Document(html).summary()))))


def _without_fault(way: Callable[[str, str], str], html: str, url: str) -> str:
    try:
        return way(html, url).strip()
    except Exception:  # noqa: BLE001 - a page of strangers; the next way may read it
        return ""
