"""What is made of HTML."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litellm_homelab.mcp_server import extraction
from litellm_homelab.mcp_server.extraction import Extract, clean_text, trimmed_html, visible_text

URL = "https://example.org/a/page"
WORDS = "A gateway sits between clients and models, and this sentence makes the paragraph long enough."
MENU = "".join(f'<li><a href="/menu/{number}">Menu {number}</a></li>' for number in range(40))
ARTICLE = f"""<!doctype html><html><head><title> Of
 gateways </title><meta name="author" content="x">
<style>p {{ color: red }}</style><script>steal()</script></head>
<body><nav><ul>{MENU}</ul></nav><main><h1>Of gateways</h1>
{"".join(f"<h2>Part {number}</h2><p>{WORDS}</p>" for number in range(8))}
<ul><li>first</li><li>second</li></ul><table><tr><td>cell one</td><td>cell two</td></tr></table>
<p style="Display : NONE">hidden by style</p><p hidden>hidden by attribute</p>
<p aria-hidden="true">hidden aria</p>
<noscript>without scripts</noscript><!-- a comment --><template>template</template>
<form><select><option>an option</option></select><textarea>typed</textarea><button>press</button></form>
</main><footer>Copyright</footer></body></html>"""
UNSEEN = (
    "steal()",
    "color",
    "hidden by",
    "hidden aria",
    "a comment",
    "template",
    "an option",
    "typed",
    "press",
)


def test_the_main_text_is_markdown() -> None:
    """Headings and lists are kept, the menu is not."""
    found = clean_text(ARTICLE, URL)
    assert found.title == "Of gateways"
    assert "## Part 3\n" in found.text
    assert "- first\n" in found.text
    assert "cell two" in found.text
    assert "Menu 7" not in found.text


@pytest.mark.parametrize("way", [clean_text, visible_text, trimmed_html])
def test_what_a_reader_does_not_see_is_left_out(way: Callable[[str, str], Extract]) -> None:
    """Scripts, styles, comments, hidden parts, parts of forms."""
    text = way(ARTICLE, URL).text
    assert [one for one in UNSEEN if one in text] == []
    assert WORDS in text


def test_all_visible_text() -> None:
    """In the order of the page, a line for each block, the title not once more."""
    html = "<title>T</title><p>one <b>two</b> three</p>four<div>five<br>six</div>seven"
    assert visible_text(html, URL) == Extract("T", "one two three\nfour\nfive\nsix\nseven")


def test_trimmed_html() -> None:
    """Links are whole, attributes but a few are gone, and so is what leads to no page."""
    html = (
        '<body><p class="x" onclick="y()" lang="en"><a href="../b?c=d" rel="z">to</a> '
        '<a href="javascript:y()">js</a><img src="/p.png" alt="picture" data-x="1">'
        '<a href="data:text/html,x">data</a></p><td colspan=2>c</td></body>'
    )
    assert trimmed_html(html, URL).text == (
        '<html><body><p lang="en"><a href="https://example.org/b?c=d">to</a> <a>js</a>'
        '<img src="https://example.org/p.png" alt="picture"><a>data</a></p><td colspan="2">c</td>'
        "</body></html>"
    )


def test_a_short_page_is_given_whole() -> None:
    """There is no main part to look for."""
    assert (
        clean_text("<h1>Status</h1><nav>home</nav><p>All is well.</p>", URL).text
        == "Status\nhome\nAll is well."
    )


def test_a_large_page_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its visible text is given, which takes a tenth of the time."""
    monkeypatch.setattr(extraction, "_trafilatura", None)
    monkeypatch.setattr(extraction, "_readability", None)
    text = clean_text(f"<p>{WORDS}</p>" * 15_000, URL).text
    assert text.splitlines() == [WORDS] * 15_000


def test_readability_is_the_second_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where trafilatura breaks or finds nothing."""

    def breaks(_: str, __: str) -> str:
        raise RuntimeError

    monkeypatch.setattr(extraction, "_trafilatura", breaks)
    found = clean_text(ARTICLE, URL).text
    assert "Part 3" in found
    assert "Menu 7" not in found


def test_visible_text_is_the_last_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither finds anything."""
    for name in ("_trafilatura", "_readability"):
        monkeypatch.setattr(extraction, name, lambda _, __: "")
    assert clean_text(ARTICLE, URL) == visible_text(ARTICLE, URL)


@pytest.mark.parametrize(
    "html",
    [
        "",
        " ",
        "plain words",
        "<html>",
        "<!-- only a comment -->",
        "<?xml version='1.0' encoding='latin-1'?><html><body>\u00e9</body></html>",
        "<div>" * 3000 + "deep",
        "<frameset><frame src=a></frameset>",
        "\0\ud800\uffff<p>x",
        "<base href='http://[broken'><a href='x'>y</a>",
        "<a href='http://[broken'>y</a>",
        "<svg><script>x</script><p>y",
        "<p hidden>" * 50 + "x",
        "<style><p>x",
    ],
    ids=range(14),
)
@pytest.mark.parametrize("way", [clean_text, visible_text, trimmed_html])
def test_odd_pages(way: Callable[[str, str], Extract], html: str) -> None:
    """An extract, and no exception."""
    assert isinstance(way(html, URL).text, str)


_PIECES = (
    *("<p>", "</p>", "<div hidden>", "</div>", "<table><tr>", "<a href='", "'>", "<!--", "-->", "<script>"),
    *("&#0;", "&#8;", "<p {a}b=c x:y=z", "<A", "x", "<base href=//a>", "<base href='http://['>"),
)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=5), max_size=30))
def test_any_html_has_an_extract(pieces: list[str]) -> None:
    """Tags in any order."""
    html = "".join(pieces)
    assert isinstance(clean_text(html, URL).text, str)
    assert "<script" not in trimmed_html(html, URL).text.lower()
