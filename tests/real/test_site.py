"""`make docs`: the pages as a site, built strictly."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.docs.test_links import ALL, INDEX
from tests.real.server import REPOSITORY, VENVS

SECONDS = 240
"""For one program, on a busy machine."""
pytestmark = pytest.mark.real

PYTHON = VENVS / "docs" / "bin" / "python"


def _build(repository: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [PYTHON, "scripts/site.py", *options, folder]
    return subprocess.run(
        command,
        cwd=repository,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_every_page_is_on_the_site(tmp_path: Path) -> None:
    """Without a warning, and the index leads to each of them."""
    done = _build(REPOSITORY, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {path.relative_to(tmp_path).with_suffix(".md") for path in tmp_path.rglob("*.html")}
    assert {page.relative_to(REPOSITORY) for page in ALL} <= made
    index = (tmp_path / INDEX.relative_to(REPOSITORY).with_suffix(".html")).read_text(encoding="utf-8")
    assert not [page for page in ALL if page != INDEX and f"{page.stem}.html" not in index]


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    """To a page, or to a heading of one."""
    copy = tmp_path / "repository"
    for name in ("docs", "scripts"):
        shutil.copytree(REPOSITORY / name, copy / name)
    page = copy / "docs" / "adopt.md"
    links = "\n[a page](gone.md) and [a heading](check.md#no-heading)\n"
    page.write_text(page.read_text(encoding="utf-8") + links, encoding="utf-8")
    done = _build(copy, tmp_path / "site")
    assert done.returncode != 0
    for target in ("gone.md", "no-heading"):
        assert target in done.stderr


def test_links_to_the_web_are_asked_for(tmp_path: Path) -> None:
    """`make docs LINKS=1`; an address of this machine is asked in the place of the web."""
    copy = tmp_path / "repository"
    shutil.copytree(REPOSITORY / "scripts", copy / "scripts")
    (copy / "docs").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (copy / "docs" / "index.md").write_text(f"# A\n\n[gone](http://127.0.0.1:{port}/x)\n", encoding="utf-8")
    done = _build(copy, tmp_path / "links", "--links")
    assert done.returncode != 0
    assert f"broken link: http://127.0.0.1:{port}/x" in done.stderr
