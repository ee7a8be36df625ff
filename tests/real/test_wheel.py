"""README's ten lines, command and test in an empty folder, with the package from a wheel built here."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import httpx
import pytest

from tests.docs.blocks import README, blocks
from tests.real.gateway import free_port
from tests.real.image import TOOLS, build_wheel, copy_script, install_wheel
from tests.real.server import REPOSITORY, running

pytestmark = pytest.mark.real

ROUTER, START, TEST = blocks("yaml", README)[0], blocks("bash", README)[0], blocks("python", README)[0]
SECONDS = 240
"""An import of LiteLLM alone takes 5 s on idle cores, and ten times that on busy ones."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A wheel, a virtual environment with it, and an empty folder."""

    wheel: Path
    bin: Path
    folder: Path

    @property
    def environ(self) -> Mapping[str, str]:
        """What a reader's shell has: no key, and the environment's commands first."""
        shell = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.folder.parent)}
        # LiteLLM would fetch its price table when it is imported: no test of ours reaches elsewhere.
        return {**shell, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build and install the wheel without a network; all that it requires comes from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    wheel = build_wheel(folder)
    venv, empty = folder / "venv", folder / "empty"
    _run(TOOLS / "uv", "venv", "--offline", "--python", TOOLS / "python", venv)
    install_wheel(folder, venv)
    (packages,) = venv.glob("lib/python*/site-packages")
    # A path in a .pth file is searched, but .pth files there are not read: not the editable install's either.
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    for command in ("litellm", "pytest"):
        copy_script(Path(sysconfig.get_path("scripts")) / command, venv / "bin")
    empty.mkdir()
    return Installed(wheel, venv / "bin", empty)


def test_the_package_is_the_wheels(installed: Installed) -> None:
    """What is imported there is not this checkout."""
    command: list[str | Path] = [
        installed.bin / "python",
        "-c",
        "import litellm_homelab; print(litellm_homelab.__file__)",
    ]
    done = subprocess.run(
        command, cwd=installed.folder, capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.startswith(str(installed.bin.parent))


def test_the_wheel_has_every_file_of_the_package(installed: Installed) -> None:
    """Data files too, and nothing beside the package."""
    package = REPOSITORY / "litellm_homelab"
    files = {
        path.relative_to(REPOSITORY).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(installed.wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == files


def test_the_extra_has_what_the_test_needs(installed: Installed) -> None:
    """`[testing]` brings pytest and pytest-asyncio, and is declared in the wheel."""
    with zipfile.ZipFile(installed.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    extra = [line for line in metadata.get_all("Requires-Dist", []) if "extra == 'testing'" in line]
    assert {re.split(r"[^\w-]", line)[0] for line in extra} == {"pytest", "pytest-asyncio"}
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(metadata.get_all("Provides-Extra", [])) == set(declared["project"]["optional-dependencies"])


def test_the_test_passes_as_printed(installed: Installed) -> None:
    """The README's files and its pytest line, in a folder that has nothing else."""
    (line,) = re.findall(r"`(pytest [^`]+)`", README.read_text(encoding="utf-8"))
    (name,) = re.findall(r"^`(test_\w+\.py)`", README.read_text(encoding="utf-8"), re.MULTILINE)
    (installed.folder / "router.yaml").write_text(ROUTER.text, encoding="utf-8")
    (installed.folder / name).write_text(TEST.text, encoding="utf-8")
    done = subprocess.run(
        ["sh", "-euc", line],
        cwd=installed.folder,
        env=installed.environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "1 passed" in done.stdout


def test_the_selftest_passes(installed: Installed) -> None:
    """`litellm-homelab selftest` needs nothing but the wheel and what it requires."""
    command: list[str | Path] = [installed.bin / "litellm-homelab", "selftest", "--json"]
    done = subprocess.run(
        command,
        cwd=installed.folder,
        env=installed.environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert json.loads(done.stdout)["ok"]


def test_it_starts_as_printed(installed: Installed) -> None:
    """The README's two variables and command: it serves the handles, and hides the rest."""
    port = free_port()
    (installed.folder / "router.yaml").write_text(ROUTER.text, encoding="utf-8")
    script = START.text.replace("4000", str(port)).replace("\nlitellm ", "\nexec litellm ")
    (key,) = re.findall(r"LITELLM_MASTER_KEY=(\S+)", script)
    base = f"http://127.0.0.1:{port}"
    command = ["/bin/sh", "-euc", f"cd '{installed.folder}'\n{script}"]
    with running("litellm", command, installed.environ, health=f"{base}/health/liveliness"):
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=base, headers=headers, timeout=60) as client:
            listed = [one["id"] for one in client.get("/v1/models").json()["data"]]
            body = {"model": "spare", "messages": [{"role": "user", "content": "hello"}]}
            refused = client.post("/v1/chat/completions", json=body)
    assert listed == ["main", "embed"]
    assert (refused.status_code, refused.json()["error"]["type"]) == (404, "model_not_found")
