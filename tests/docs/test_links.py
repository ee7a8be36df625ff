"""Links of the pages lead somewhere, and the pages name no machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.blocks import PAGES, REPOSITORY

ALL = (*PAGES, *(REPOSITORY / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY")))
INDEX = REPOSITORY / "docs" / "index.md"
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
WEB = re.compile(r"\]\((https?:[^)]*)\)")
LONGEST = 75
"""Lines of one and a half screens."""
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _links() -> Iterator[tuple[Path, str]]:
    for page in ALL:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            yield page, target


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(
    ("page", "target"), [pytest.param(page, target, id=f"{page.name}-{target}") for page, target in _links()]
)
def test_a_link_leads_somewhere(page: Path, target: str) -> None:
    """A relative link names a file, and a heading of it where it has an anchor."""
    name, _, anchor = target.partition("#")
    found = page.parent / name if name else page
    assert found.is_file()
    if anchor:
        assert anchor in {_anchor(text) for text in HEADING.findall(found.read_text(encoding="utf-8"))}


def _reachable(start: Path) -> set[Path]:
    """Every page that links lead to from one, itself included."""
    found, todo = set(), [start]
    while todo:
        page = todo.pop()
        if page not in found and page.suffix == ".md":
            found.add(page)
            names = (target.partition("#")[0] for target in LINK.findall(page.read_text(encoding="utf-8")))
            todo += [(page.parent / name).resolve() for name in names if name]
    return found


def test_every_page_is_reached_from_the_readme() -> None:
    """A reader who starts at the README finds every page, and so does one who starts at the index."""
    assert set(ALL) <= _reachable(PAGES[0])
    assert set(ALL) - {PAGES[0]} <= _reachable(INDEX)


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in ALL])
def test_the_index_has_every_page(page: Path) -> None:
    """By what a reader wants: to learn, to do, to look up, to understand, to take part."""
    assert page in (PAGES[0], INDEX) or f"{page.name})" in INDEX.read_text(encoding="utf-8")


def _howtos() -> list[Path]:
    """The pages below the index's `Do`."""
    section = INDEX.read_text(encoding="utf-8").partition("\n## Do\n")[2].partition("\n## ")[0]
    return [INDEX.parent / target.partition("#")[0] for target in LINK.findall(section)]


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in _howtos()])
def test_a_howto_is_short(page: Path) -> None:
    """One and a half screens; what is looked up has a section of its own in the index."""
    assert len(page.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_links_to_the_web_are_addresses() -> None:
    """Over HTTPS, with a host; whether it answers, `make docs LINKS=1` asks where there is a network."""
    found = {link for page in ALL for link in WEB.findall(page.read_text(encoding="utf-8"))}
    assert len(found) >= 10
    assert [one for one in found if urlsplit(one).scheme != "https" or "." not in urlsplit(one).netloc] == []


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in ALL])
def test_a_page_names_no_machine(page: Path) -> None:
    """Addresses of the pages are loopback, or all interfaces of a container; no home folder is named.

    A store in a container names the container's own folder.
    """
    text = page.read_text(encoding="utf-8")
    numbers = set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text))
    assert numbers <= {"127.0.0.1", "0.0.0.0"}
    assert not re.search(r"(?<!sqlite:///)/(home|Users|root|work|tmp)/", text)
