"""The pages that install, and the how-tos: commands that their programs take, on files that there are."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import litellm_homelab
from litellm_homelab.cli import _parser
from tests.deploy import facts
from tests.deploy.test_compose import SERVICES
from tests.deploy.test_kubernetes import ALL
from tests.docs.blocks import REPOSITORY
from tests.docs.console import Typed, typed
from tests.real.server import VENVS

SECONDS = 240
"""For one program, on a busy machine."""
INSTALLED = [*sorted((REPOSITORY / "docs").glob("install-*.md")), REPOSITORY / "docs" / "upgrade.md"]
TASKS = ("health", "add-a-backend", "https", "files", "web-search", "agents")
PAGES = [*INSTALLED, *(REPOSITORY / "docs" / f"{name}.md" for name in TASKS)]
VERSION = litellm_homelab.__version__
MADE = {
    f"litellm_homelab-{VERSION}-py3-none-any.whl",
    f"litellm_homelab-{VERSION}-site-packages.tar.gz",
}
"""What `make release` writes."""
MADE_BY_THE_PAGE = ("config/env.local", "deploy/compose/site-packages", "deploy/kubernetes/mine")
UNITS = {path.stem for path in (facts.DEPLOY / "systemd").glob("*.service")}
SYSTEMCTL = {"daemon-reload", "enable", "disable", "restart"}


def _words(command: str) -> list[str]:
    return [word for word in shlex.split(command.replace("\\\n", " ")) if word]


def _after(words: list[str], *options: str) -> list[str]:
    return [value for option, value in itertools.pairwise(words) if option in options]


def _ours(words: list[str]) -> None:
    _parser(words[1:]).parse_args(words[1:])


def _make(words: list[str]) -> None:
    plan = ["make", "--dry-run", "--always-make", *words[1:]]
    assert (
        subprocess.run(plan, cwd=REPOSITORY, capture_output=True, timeout=SECONDS, check=False).returncode
        == 0
    )


def _docker(words: list[str]) -> None:
    if words[1] == "compose":
        assert _after(words, "-f") == ["deploy/compose/compose.yaml"]
        known = {profile for one in SERVICES.values() for profile in one.get("profiles", [])}
        assert set(_after(words, "--profile")) <= known
        assert {"up", "down", "logs"} & set(words)
    elif words[1] == "build":
        ((dockerfile,), (tag,)) = _after(words, "-f"), _after(words, "-t")
        assert (REPOSITORY / dockerfile).is_file()
        assert tag.endswith(f":{VERSION}")
        assert words[-1] == "dist"
    elif words[1] == "run":
        assert facts.IMAGE in words
        names = {one.partition("=")[0] for one in _after(words, "-e")}
        assert names <= facts.VARIABLES
    else:
        assert words[1] == "push"


def _kubectl(words: list[str]) -> None:
    for folder in _after(words, "-k"):
        assert (REPOSITORY / folder / "kustomization.yaml").is_file()
    names = {(one["kind"].lower(), one["metadata"]["name"]) for one in ALL}
    for kind, name in (word.split("/") for word in words if re.fullmatch(r"deployment/\S+", word)):
        assert (kind, name) in names
    if "secret" in words:
        assert "litellm-homelab" in words
    for data in _after(words, "-p"):
        assert set(re.findall(r"[A-Z_]+_KEY", data)) <= facts.VARIABLES | {"NEW_KEY"}


def _systemctl(words: list[str]) -> None:
    assert words[1] in SYSTEMCTL
    assert {word for word in words[2:] if not word.startswith("-")} <= UNITS


def _python(words: list[str]) -> None:
    """The options of uv are asked for from uv itself."""
    if words[:3] == ["uv", "tool", "install"]:
        uv: list[str | Path] = [VENVS / "tools" / "bin" / "uv", "tool", "install", "--help"]
        text = subprocess.run(uv, capture_output=True, text=True, timeout=SECONDS, check=True).stdout
        for option in (word for word in words if word.startswith("--")):
            assert option in text
        assert f"litellm[proxy]=={facts.LITELLM}" in words


def _files(words: list[str]) -> None:
    """Those of the repository exist, see below."""


PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "litellm-homelab": _ours,
    "make": _make,
    "docker": _docker,
    "kubectl": _kubectl,
    "systemctl": _systemctl,
    **dict.fromkeys(("pip", "pipx", "uv"), _python),
    **dict.fromkeys(("tar", "mkdir", "cp", "mv", "rm", "install", "chmod", "cd", "echo", "grep"), _files),
    **dict.fromkeys(("set", "curl", "helm", "journalctl", "python3", "ss", "tailscale"), _files),
    **dict.fromkeys(("caddy", "npx"), _files),  # run by tests/real/test_howtos.py
}
STEPS = [pytest.param(step, id=step.id) for page in PAGES for step in typed(page)]


@pytest.mark.parametrize("step", STEPS)
def test_a_shell_reads_the_command(step: Typed) -> None:
    """Quotes and continuation lines are whole."""
    done = subprocess.run(
        ["sh", "-n", "-c", step.command], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("step", STEPS)
def test_its_program_takes_it(step: Typed) -> None:
    """Subcommands, options, profiles, units and resources are ones that there are."""
    words = _words(step.command)
    PROGRAMS[words[0].removeprefix("new/bin/")](words)


def test_probes_are_open_and_the_deep_one_is_not() -> None:
    """What docs/health.md says of keys is what the table of routes says."""
    text = (REPOSITORY / "docs" / "health.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `GET (\S+)`( with .*? key|) ?", text, re.MULTILINE))
    assert {path: facts.is_open(path) for path in rows} == {path: not rows[path] for path in rows}
    assert len(rows) == 4


@pytest.mark.parametrize("step", STEPS)
def test_its_files_are_there(step: Typed) -> None:
    """Paths of the repository exist, or an earlier command makes them; a release's files have its version."""
    for word in re.findall(r"(?:deploy|config)/[\w./-]+", step.command):
        assert word in MADE_BY_THE_PAGE or (REPOSITORY / word).exists(), word
    assert set(re.findall(r"litellm_homelab-[\w.-]+(?:whl|gz)", step.command)) <= MADE


@pytest.mark.parametrize("page", INSTALLED, ids=lambda page: page.stem)
def test_a_page_says_how_to_undo_it(page: Path) -> None:
    """Whoever tries it can leave it."""
    assert "**Undo.**" in page.read_text(encoding="utf-8")


def test_make_env_makes_keys_once(tmp_path: Path) -> None:
    """Fresh ones for the owner alone; a second run changes nothing."""
    for name in ("Makefile", "config", "litellm_homelab", "requirements"):
        found = REPOSITORY / name
        if found.is_dir():
            ignored = shutil.ignore_patterns("env.local", "__pycache__")
            shutil.copytree(found, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(found, tmp_path / name)
    made = []
    for _ in range(2):
        command = ["make", "env", f"PYTHON={sys.executable}"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        made.append((tmp_path / "config" / "env.local").read_text(encoding="utf-8"))
    assert made[0] == made[1]
    assert "=generate\n" not in made[0]
    assert "=sk-generate\n" not in made[0]
    assert stat.S_IMODE((tmp_path / "config" / "env.local").stat().st_mode) == 0o600
