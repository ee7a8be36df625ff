"""
The packages of the official image, without an engine: LiteLLM with chosen extras, no pip, nothing of ours.

The image installs LiteLLM with the extras proxy, proxy-runtime, extra_proxy and semantic-router
(docker/Dockerfile.non_root of BerriAI/litellm) and has neither pip nor uv.
"""

from __future__ import annotations

import importlib.metadata
import stat
import subprocess
import sysconfig
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.real.server import REPOSITORY, VENVS

SECONDS = 240
"""For one program, on a busy machine."""
TOOLS = VENVS / "tools" / "bin"
"""Has the build backend, by hash: requirements/tools.txt."""
IMAGE_EXTRAS = ("proxy", "proxy-runtime", "extra-proxy")
"""Of the official image; the lock has what this package can meet of them, and no semantic router."""


@dataclass(frozen=True, slots=True)
class Image:
    """An environment that has LiteLLM and what it requires, and the unpacked wheel in a folder beside it."""

    bin: Path
    unpacked: Path
    distributions: frozenset[str]

    def environ(self, **more: str) -> dict[str, str]:
        """What a container has: its own commands, the folder on PYTHONPATH, no key."""
        shell = {"PATH": f"{self.bin}:/usr/bin:/bin", "PYTHONPATH": str(self.unpacked)}
        # LiteLLM would fetch its price table when it is imported: no test of ours reaches elsewhere.
        return {**shell, "LITELLM_LOCAL_MODEL_COST_MAP": "True", **more}


def build_wheel(folder: Path) -> Path:
    """The package as a wheel, built without a network."""
    _run(TOOLS / "python", "-m", "hatchling", "build", "--target", "wheel", "-d", folder, cwd=REPOSITORY)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_wheel(folder: Path, venv: Path) -> None:
    """Install the wheel that is in a folder, and nothing that it requires."""
    (wheel,) = folder.glob("*.whl")
    install: list[str | Path] = ["pip", "install", "--quiet", "--offline", "--no-index", "--no-deps"]
    _run(TOOLS / "uv", *install, "--python", venv, wheel)


def make(folder: Path, extras: Sequence[str]) -> Image:
    """An environment with nothing but `litellm[extras]`, made of links to the packages of this one."""
    venv, unpacked = folder / "venv", folder / "homelab"
    _run(TOOLS / "uv", "venv", "--quiet", "--offline", "--python", TOOLS / "python", venv)
    (packages,) = venv.glob("lib/python*/site-packages")
    names = frozenset(_required("litellm", frozenset(extras)))
    for name in names:
        _link(importlib.metadata.distribution(name), packages)
    copy_script(Path(sysconfig.get_path("scripts")) / "litellm", venv / "bin")
    with zipfile.ZipFile(build_wheel(folder)) as wheel:
        wheel.extractall(unpacked)
    return Image(venv / "bin", unpacked, names)


def _required(name: str, extras: frozenset[str]) -> Iterator[str]:
    """The distributions that one requires, itself included; what is not installed here is left out."""
    seen, todo = set(), [(canonicalize_name(name), extras)]
    while todo:
        one = todo.pop()
        if one in seen or not _is_installed(one[0]):
            continue
        seen.add(one)
        yield one[0]
        todo += [(canonicalize_name(each.name), frozenset(each.extras)) for each in _requirements(*one)]


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _requirements(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    for line in importlib.metadata.requires(name) or ():
        found = Requirement(line)
        if found.marker is None or any(found.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield found


def _link(found: importlib.metadata.Distribution, packages: Path) -> None:
    """Link what a distribution has at the top of site-packages; several may share a namespace package."""
    parts = [Path(str(file)).parts for file in found.files or ()]
    for top in {each[0] for each in parts if ".." not in each and each[0] != "__pycache__"}:
        if not (packages / top).exists():
            (packages / top).symlink_to(Path(str(found.locate_file(top))))


def copy_script(script: Path, folder: Path) -> None:
    """Copy a console script for the interpreter of another environment."""
    lines = script.read_text(encoding="utf-8").splitlines(keepends=True)
    copy = folder / script.name
    copy.write_text("".join([f"#!{folder}/python\n", *lines[1:]]), encoding="utf-8")
    copy.chmod(copy.stat().st_mode | stat.S_IXUSR)


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
