"""
Builds the pages as a site: `make docs`, which needs no network.

`make docs LINKS=1` asks the web for each link instead.

The pages are those of the repository, links and all; docs/index.md is the first, and its headings are the
sections of the site. Every warning of Sphinx is an error: a link or an anchor that leads nowhere, for one.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sphinx.cmd.build import build_main

REPOSITORY = Path(__file__).parents[1]
INDEX = Path("docs/index.md")
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md")
LINK = re.compile(r"\]\((?!https?:|#)([^)\s#]+)(?:#[^)\s]*)?\)")
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
SETTINGS = """
project = "litellm-homelab"
root_doc = "docs/index"
extensions = ["myst_parser"]
html_theme = "furo"
html_show_copyright = False
myst_heading_anchors = 4
# Blocks with `...` in them are no JSON; raw results have headings of any level.
suppress_warnings = ["misc.highlighting_failure", "myst.header"]
"""


def main() -> int:
    """Write the site into a folder; the exit status is Sphinx's."""
    parser = argparse.ArgumentParser(description="Build the pages as a site.")
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--links", action="store_true", help="ask the web for each link, and write no site")
    arguments = parser.parse_args()
    folder, builder = arguments.folder, "linkcheck" if arguments.links else "html"
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source"
        copy_pages(source)
        (source / "conf.py").write_text(SETTINGS, encoding="utf-8")
        options = ["--builder", builder, "--fail-on-warning", "--keep-going", "--fresh-env", "--quiet"]
        doctrees = ["--doctree-dir", str(Path(name) / "doctrees")]
        return int(build_main([*options, *doctrees, str(source), str(folder)]))


def copy_pages(source: Path) -> None:
    """The pages, and the files that they link to, in the folders that they have in the repository."""
    pages = [path for pattern in PAGES for path in sorted(REPOSITORY.glob(pattern))]
    linked = {target for page in pages for target in links(page) if target.is_file()}
    for path in {*pages, *linked}:
        copy = source / path.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    index = source / INDEX
    index.write_text(index.read_text(encoding="utf-8") + "".join(_lists(source)), encoding="utf-8")


def links(page: Path) -> Iterator[Path]:
    """Where the relative links of a page lead to."""
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        yield (page.parent / target).resolve()


def _lists(source: Path) -> Iterator[str]:
    """A list of pages for each heading of the index, and one of the pages that it does not name."""
    _, *parts = SECTION.split((source / INDEX).read_text(encoding="utf-8"))
    seen = {INDEX}
    for title, text in zip(parts[::2], parts[1::2], strict=True):
        targets = ((source / INDEX.parent / name).resolve() for name in LINK.findall(text))
        names = [path.relative_to(source.resolve()) for path in targets]
        yield _list(title, [name for name in names if name not in seen])
        seen |= set(names)
    others = sorted(path.relative_to(source) for path in source.rglob("*.md"))
    yield _list("More", [path for path in others if path not in seen])


def _list(title: str, pages: list[Path]) -> str:
    names = "".join(f"/{page.with_suffix('')}\n" for page in pages)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}```\n"


if __name__ == "__main__":
    sys.exit(main())
