"""A wrong configuration stops stock LiteLLM, which says why: a callback that cannot be made ends it."""

from __future__ import annotations

import copy
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import litellm_homelab
from litellm_homelab.advisories.listed import DATA
from litellm_homelab.cli.logtail import readable_tail
from tests.config import shipped as files
from tests.real.gateway import START_SECONDS, Process, end, free_port, read_env, start

PACKAGE = Path(litellm_homelab.__file__).parent
Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A way to spoil the shipped configuration, and what LiteLLM must be seen to say then."""

    change: Change = lambda document: None
    unset: str = ""
    planted: str = ""
    """What is added to the advisories of a copy of the package, which this LiteLLM imports."""
    problems: tuple[str, ...] = field(kw_only=True)


def _unknown_handles(document: dict[str, Any]) -> None:
    document["homelab"]["showroom"]["handles"] += ["man", "depe"]
    document["router_settings"]["retry_policy"]["Timeout"] = 1


def _fallback_to_backroom(document: dict[str, Any]) -> None:
    document["homelab"]["showroom"]["internal"].remove("ollama-qwen")


def _guardrail_that_never_runs(document: dict[str, Any]) -> None:
    params = {"guardrail": "litellm_homelab.guardrails.PromptTags", "mode": "pre_cal"}
    document["guardrails"] = [{"guardrail_name": "prompt-tags", "litellm_params": params}]


def _rust(document: dict[str, Any]) -> None:
    document["model_list"][0]["litellm_params"]["rust"] = True


ADVISORY = """
[[advisory]]
id = "CVE-2026-99999"
package = "litellm"
affected = [{introduced = "1.0"}]
exploited = true
what = "planted by a test"
here = "nothing helps"
"""
WRONG: Mapping[str, Wrong] = {
    "exploited": Wrong(
        planted=ADVISORY,
        problems=(
            "has a hole that is known to be exploited: CVE-2026-99999: planted by a test. ",
            "nothing helps. Upgrade: pip install",
            "to start anyway, add `accept_advisories: [CVE-2026-99999]` to homelab",
        ),
    ),
    "rust": Wrong(
        _rust,
        problems=(
            "model_list[0].litellm_params.rust: not supported: ",
            "so no rule of this package would hold there; remove `rust` from this deployment",
        ),
    ),
    "several-mistakes": Wrong(
        _unknown_handles,
        problems=(
            "router.yaml: homelab.showroom.handles[13]: ",
            "router.yaml: homelab.showroom.handles[14]: ",
        ),
    ),
    "guardrail": Wrong(
        _guardrail_that_never_runs,
        problems=("guardrails: prompt-tags: litellm_params.mode: expected pre_call, got 'pre_cal'",),
    ),
    "unset-variable": Wrong(
        unset="MAIN_API_BASE",
        problems=("litellm_params.api_base: the environment variable MAIN_API_BASE is not set",),
    ),
    "backroom-fallback": Wrong(
        _fallback_to_backroom, problems=("router.yaml: router_settings.fallbacks[0]: ", "ollama-qwen")
    ),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """A LiteLLM that should have ended by itself: its exit status, None if it did not, and what it said."""

    status: int | None
    said: str


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Ended]]:
    """Every wrong configuration, all started at once, each given START_SECONDS to end."""
    folders = {name: tmp_path_factory.mktemp(name) for name in WRONG}
    running = {name: _start(folders[name], wrong) for name, wrong in WRONG.items()}
    try:
        yield {name: Ended(_wait(one), _said(folders[name])) for name, one in running.items()}
    finally:
        for one in running.values():
            end(one)


def _start(folder: Path, wrong: Wrong) -> Process:
    document = copy.deepcopy(files.ROUTER)
    wrong.change(document)
    shutil.copy(files.FOLDER / "registry.json", folder)
    (folder / "router.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    environ = {name: value for name, value in read_env().items() if name != wrong.unset}
    (folder / "log").touch()
    if wrong.planted:
        environ |= {"PYTHONPATH": str(_planted(folder, wrong.planted))}
    return start(folder / "router.yaml", free_port(), environ, (), folder / "log")


def _planted(folder: Path, advisory: str) -> Path:
    """A folder with a copy of the package whose data file has one more advisory."""
    copied = folder / "planted"
    shutil.copytree(PACKAGE, copied / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    with (copied / PACKAGE.name / "advisories" / DATA).open("a", encoding="utf-8") as file:
        file.write(advisory)
    return copied


def _wait(process: Process) -> int | None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    return process.returncode


def _said(folder: Path) -> str:
    return readable_tail((folder / "log").read_text(errors="replace"), 200)


@pytest.mark.parametrize("name", WRONG)
def test_stops_the_start(ended: dict[str, Ended], name: str) -> None:
    """LiteLLM ends by itself, with a status that is not 0, and its output has every problem, one per line."""
    status, said = ended[name].status, ended[name].said

    assert status not in (0, None)
    lines = said.splitlines()
    assert [
        problem for problem in WRONG[name].problems if not any(problem in line for line in lines)
    ] == [], said
