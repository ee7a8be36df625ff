"""docs/check.md lists every message, and its commands are those of the command line."""

from __future__ import annotations

import re
import shlex
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import pytest
import yaml

from litellm_homelab import cli
from tests.docs import check_page
from tests.docs.blocks import REPOSITORY, blocks

PAGE = REPOSITORY / "docs" / "check.md"


def test_the_list_is_made_from_the_registry() -> None:
    """Whoever adds a message makes the page anew: `python -m tests.docs.check_page > docs/check.md`."""
    assert PAGE.read_text(encoding="utf-8") == check_page.page()


COMMANDS = [
    line
    for block in blocks("bash", PAGE)
    for line in block.text.splitlines()
    if line.startswith("litellm-homelab ")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_page_work(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of the page is understood, and finds nothing wrong with the shipped files."""
    monkeypatch.chdir(REPOSITORY)
    assert cli.main(shlex.split(command)[1:]) == 0


def test_there_are_commands() -> None:
    """A page without commands would pass without a word."""
    assert len(COMMANDS) >= 3


CLEAN_FILE = "config/router.yaml"
WRONG_FILE = "tests/check/cases/handle-unknown.yaml"
WARNING_FILE = "tests/check/cases/litellm-setting-misplaced.yaml"
COMMAND = Path(sysconfig.get_path("scripts")) / "litellm-homelab"


@pytest.mark.parametrize(
    ("name", "is_looked_at"),
    [
        ("router.yaml", True),
        ("deploy/home/router.yml", True),
        ("litellm_config.yaml", True),
        ("my-router.yaml", False),
        ("router.yaml.bak", False),
        ("docs/router.md", False),
    ],
)
def test_the_pre_commit_hook_looks_at_router_files(name: str, is_looked_at: bool) -> None:
    """pre-commit searches for `files` in each changed file's path."""
    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (re.search(hook["files"], name) is not None) == is_looked_at


@pytest.mark.parametrize(("names", "status"), [([CLEAN_FILE], 0), ([CLEAN_FILE, WRONG_FILE], 1)])
def test_the_pre_commit_hook_fails_for_a_wrong_file(names: list[str], status: int) -> None:
    """It runs `entry` with the names of the changed files behind it, from the top of the repository."""
    (hook,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    command, *words = shlex.split(hook["entry"])
    assert command == COMMAND.name
    done = subprocess.run(
        [COMMAND, *words, *names], cwd=REPOSITORY, capture_output=True, check=False, timeout=300
    )
    assert done.returncode == status


@pytest.mark.parametrize(
    ("given", "status"),
    [
        pytest.param({"config": CLEAN_FILE}, 0, id="clean"),
        pytest.param({"config": f"{CLEAN_FILE} {WRONG_FILE}"}, 1, id="two files, one wrong"),
        pytest.param({"config": WARNING_FILE, "litellm": "1.108.7"}, 0, id="a warning"),
        pytest.param({"config": WARNING_FILE, "litellm": "1.108.7", "strict": "true"}, 1, id="strict"),
        pytest.param(
            {
                "config": CLEAN_FILE,
                "env": "config/env.example",
                "optillm-config": "config/optillm/proxy_config.yaml",
            },
            0,
            id="with what belongs to it",
        ),
        pytest.param({"config": "missing.yaml"}, 2, id="missing"),
    ],
)
def test_the_action_runs_the_check(given: dict[str, str], status: int, tmp_path: Path) -> None:
    """Its last step, run as GitHub does: each input in the environment, by bash that stops at an error."""
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
    inputs = {name: given.get(name, one["default"]) for name, one in action["inputs"].items()}
    step = action["runs"]["steps"][-1]
    environ = {
        name: inputs[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in step["env"].items()
    }
    (tmp_path / "litellm-homelab" / "bin").mkdir(parents=True)
    (tmp_path / "litellm-homelab" / "bin" / "litellm-homelab").symlink_to(COMMAND)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", "RUNNER_TEMP": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == status, done.stdout + done.stderr


def test_the_action_installs_what_the_check_needs() -> None:
    """PyYAML and pydantic as the package requires them; `tests/cli/alone.py` runs it with no more."""
    install = yaml.safe_load((REPOSITORY / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"][0]
    required = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    named = re.findall(r"'([^']+)'", install["run"])
    assert set(named) <= set(required["project"]["dependencies"])
    assert {re.split(r"\W", one)[0] for one in named} == {"pydantic", "pyyaml"}


def test_the_action_hands_on_each_of_its_inputs() -> None:
    """An input that is not used would be ignored without a word."""
    text = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
    inputs = yaml.safe_load(text)["inputs"]
    assert [one for one in inputs if f"inputs.{one} " not in text] == []
    assert Path(inputs["config"]["default"]).name == "router.yaml"
