"""`make release`: what it builds, and that building it again gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.real.server import REPOSITORY, VENVS
from tests.test_requirements import pins

pytestmark = pytest.mark.real

EPOCH = 1_700_000_000
SECONDS = 600
"""How long one build may take."""


def tracked() -> list[str]:
    """The files of a clone: those that Git has and that are there; nothing that lies about beside them."""
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60)
    return [name for name in done.stdout.split("\0") if name and (REPOSITORY / name).exists()]


def release(repository: Path, folder: Path, **environ: str) -> dict[str, bytes]:
    """The files of a release by name."""
    command: list[str | Path] = [VENVS / "tools" / "bin" / "python", "scripts/release.py", folder]
    sbom: list[str | Path] = ["--sbom", VENVS / "release" / "bin" / "cyclonedx-py"]
    variables = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), **environ}
    done = subprocess.run(
        [*command, *sbom],
        cwd=repository,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release."""
    folder = tmp_path_factory.mktemp("dist")
    release(REPOSITORY, folder)
    return folder


def test_another_build_has_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """In a copy at another place, of other times and permissions, in another time zone."""
    for name in tracked():
        copy = tmp_path / "copy" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, copy, follow_symlinks=False)
    for number, path in enumerate(sorted((tmp_path / "copy").rglob("*.py"))):
        os.utime(path, (EPOCH + number, EPOCH + number))
        path.chmod(0o600)
    again = release(tmp_path / "copy", tmp_path / "dist", TZ="Asia/Kathmandu", LC_ALL="C")
    first = {path.name: path.read_bytes() for path in dist.iterdir()}
    assert sorted(again) == sorted(first)
    assert [name for name, content in first.items() if again[name] != content] == []


def test_every_file_has_its_checksum(dist: Path) -> None:
    """In the form that `sha256sum --check` reads."""
    lines = (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert dict(line.split("  ")[::-1] for line in lines) == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in dist.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert len(lines) == 4


def test_the_archive_is_the_unpacked_wheel(dist: Path) -> None:
    """For a folder on PYTHONPATH: every file of the wheel, of no user of the machine that built it."""
    (wheel,), (archive,) = dist.glob("*.whl"), dist.glob("*-site-packages.tar.gz")
    with zipfile.ZipFile(wheel) as files, tarfile.open(archive) as tar:
        unpacked = {one.name: tar.extractfile(one) for one in tar.getmembers()}
        assert {name: one.read() for name, one in unpacked.items() if one} == {
            name: files.read(name) for name in files.namelist()
        }
        assert {(one.uid, one.gid, one.uname, one.mode, one.mtime) for one in tar.getmembers()} == {
            (0, 0, "", 0o644, EPOCH)
        }
    assert "litellm_homelab/__init__.py" in unpacked


def test_the_sbom_has_the_packages_of_the_lock(dist: Path) -> None:
    """Each in its version, with its hashes; and the package itself in the wheel's version."""
    (path,) = dist.glob("*.cdx.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for one in document["components"]:
        found.setdefault(one["name"], set()).add(one["version"])
        assert all(reference.get("hashes") for reference in one["externalReferences"])
    assert found == pins("run.txt")
    component = document["metadata"]["component"]
    (wheel,) = dist.glob("*.whl")
    assert wheel.name.startswith(f"{component['name'].replace('-', '_')}-{component['version']}-")
