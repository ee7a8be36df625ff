"""deploy/image: Dockerfiles on the official image of the locked LiteLLM."""

from __future__ import annotations

import re
from fnmatch import fnmatch

import pytest

import litellm_homelab
from tests.deploy import facts

FOLDER = facts.DEPLOY / "image"
ARCHIVE = f"litellm_homelab-{litellm_homelab.__version__}-site-packages.tar.gz"


def _instructions(name: str) -> dict[str, str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def test_the_image_is_three_lines() -> None:
    """The official image, the archive unpacked into a folder, that folder on PYTHONPATH."""
    found = _instructions("Dockerfile")
    assert list(found) == ["FROM", "ADD", "ENV"]
    assert found["FROM"] == facts.IMAGE
    assert found["ENV"] == f"PYTHONPATH={found['ADD'].split()[1].rstrip('/')}"


@pytest.mark.parametrize("name", ["Dockerfile", "packages.Dockerfile"])
def test_it_adds_the_archive_of_a_release(name: str) -> None:
    """By a pattern that matches what `make release` writes; ADD unpacks it."""
    source, target = _instructions(name)["ADD"].split()
    assert fnmatch(ARCHIVE, source)
    assert target.endswith("/")


def test_every_file_names_one_version() -> None:
    """Each official image below deploy/ and in the pages is the locked LiteLLM's."""
    files = [path for path in facts.DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    files += (facts.REPOSITORY / "docs").rglob("*.md")
    found = {
        image
        for path in files
        for image in re.findall(r"ghcr\.io/berriai/litellm[\w-]*:[\w.-]+", path.read_text(encoding="utf-8"))
    }
    assert found == {facts.IMAGE}


def test_an_image_has_a_version() -> None:
    """All but OptiLLM's, of which no other tag is known to be published."""
    images = {
        name
        for path in sorted(facts.DEPLOY.rglob("*.yaml"))
        for name in re.findall(
            r"image: (?:&\w+ )?([\w.-]+/?[\w./-]*:[\w.-]+)", path.read_text(encoding="utf-8")
        )
    }
    assert len(images) >= 6
    assert {name for name in images if re.search(r":(latest|main|stable)\b", name)} == {
        "ghcr.io/algorithmicsuperintelligence/optillm:latest-proxy"
    }
