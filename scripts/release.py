"""
Writes what a release has into a folder: sdist, wheel, site-packages archive, SBOM and checksums.

`make release` runs it. The same commit, tools and Python give the same bytes: times are those of the
commit, or of SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
LOCK = REPOSITORY / "requirements" / "run.txt"
CHECKSUMS = "SHA256SUMS"


def main() -> None:
    """Build everything, and print the names of the files."""
    parser = argparse.ArgumentParser(description="Write what a release has into a folder.")
    parser.add_argument("folder", type=Path, help="where to write; what is there is replaced by name")
    parser.add_argument("--sbom", type=Path, required=True, help="the command cyclonedx-py")
    args = parser.parse_args()
    folder: Path = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "SOURCE_DATE_EPOCH": epoch()}
    with tempfile.TemporaryDirectory() as built:
        _run(sys.executable, "-m", "hatchling", "build", "--directory", built, environ=environ)
        sdist, wheel = (Path(shutil.move(one, folder / one.name)) for one in _sdist_and_wheel(Path(built)))
    made = [sdist, wheel, archive(wheel, int(environ["SOURCE_DATE_EPOCH"]))]
    made.append(sbom(args.sbom, wheel, environ))
    sums = "".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in sorted(made))
    (folder / CHECKSUMS).write_text(sums, encoding="utf-8")
    sys.stdout.write(sums)


def _sdist_and_wheel(folder: Path) -> tuple[Path, Path]:
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


def epoch() -> str:
    """SOURCE_DATE_EPOCH, else the time of the last commit."""
    return os.environ.get("SOURCE_DATE_EPOCH") or _run("git", "log", "-1", "--format=%ct").strip()


def archive(wheel: Path, seconds: int) -> Path:
    """The wheel's files as they are in site-packages, for images and machines without pip."""
    name = wheel.name.partition("-py3")[0]
    content = BytesIO()
    with zipfile.ZipFile(wheel) as files, tarfile.open(fileobj=content, mode="w") as tar:
        for one in sorted(files.namelist()):
            data = files.read(one)
            entry = tarfile.TarInfo(one)
            entry.size, entry.mtime, entry.mode = len(data), seconds, 0o644
            tar.addfile(entry, BytesIO(data))
    found = wheel.with_name(f"{name}-site-packages.tar.gz")
    found.write_bytes(gzip.compress(content.getvalue(), mtime=seconds))
    return found


def sbom(command: Path, wheel: Path, environ: Mapping[str, str]) -> Path:
    """Every package of the gateway's lock, in CycloneDX; cyclonedx-py reads no version that is dynamic."""
    _, version, _ = wheel.name.split("-", 2)
    options: list[str | Path] = [
        "--pyproject",
        REPOSITORY / "pyproject.toml",
        "--output-reproducible",
        "--mc-type",
        "library",
    ]
    document = json.loads(_run(command.absolute(), "requirements", *options, LOCK, environ=environ))
    component = document["metadata"]["component"]
    component |= {"version": version, "purl": f"pkg:pypi/{component['name']}@{version}"}
    found = wheel.with_name(f"{wheel.name.partition('-py3')[0]}.cdx.json")
    found.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return found


def _run(*command: str | Path, environ: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{Path(command[0]).name}: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
