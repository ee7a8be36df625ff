"""The blocks of "Add a rule" in docs/extension-points.md, applied to a copy of the package as they are."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs import extension_points
from tests.docs.blocks import REPOSITORY
from tests.docs.declared import PACKAGE
from tests.docs.policies_page import BEGIN, END, table

SECTION = extension_points.PAGE.read_text(encoding="utf-8").partition("## Add a rule\n")[2]
BLOCK = re.compile(r"`(litellm_homelab/[\w/]+\.py)`[^`]*:\n\n```(?:py|text)\n(.*?)```", re.DOTALL)
ROUTER = """
homelab:
  showroom: {handles: [main]}
  prompt_limit: {characters: 20}
  state: memory://
model_list:
  - model_name: main
    litellm_params: {model: lm_studio/main, api_base: "http://main.invalid/v1", api_key: none}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY, custom_auth: litellm_homelab.gate}
litellm_settings: {callbacks: [prometheus, litellm_homelab.plugin]}
"""
ASK = """
import asyncio, json, logging, sys
logging.disable(logging.CRITICAL)
import litellm_homelab
from litellm_homelab.testing import MockProxy
from tests.docs import declared
from tests.docs.policies_page import table

def series(text):
    return [line for line in text.splitlines() if line.startswith("homelab_") and "prompt_limit" in line]

async def main():
    async with MockProxy(sys.argv[1]) as proxy:
        before = await proxy.get("/metrics/")
        short, long = await proxy.chat("main", "hello"), await proxy.chat("main", "hello " * 20)
        after = await proxy.get("/metrics/")
        return {
            "package": litellm_homelab.__file__,
            "short": [short.status, short.sent_to], "long": [long.status, long.sent_to, long.json["error"]],
            "before": series(before.text), "after": series(after.text), "table": table(),
        }

print("RESULT" + json.dumps(asyncio.run(main())))
"""
CHECK = """
import sys
from pathlib import Path
from litellm_homelab.config.loading import load
load(Path(sys.argv[1]))
"""


def applied(folder: Path) -> Path:
    """A copy of the package with the blocks in it; the folder that has it."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    places = BLOCK.findall(SECTION)
    *files, (registry, line) = places
    assert [name for name, _ in files] == [
        "litellm_homelab/prompt_limit.py",
        "litellm_homelab/adapter/policies/prompt_limit.py",
    ]
    for name, content in files:
        assert not (folder / name).exists()
        (folder / name).write_text(content, encoding="utf-8")
    text = (folder / registry).read_text(encoding="utf-8")
    first = text.index("    Registered(", text.index("POLICIES: Final = ("))
    (folder / registry).write_text(text[:first] + line + text[first:], encoding="utf-8")
    return folder


def run(folder: Path, code: str, router: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the copy in front of the package."""
    path = folder / "router.yaml"
    path.write_text(router, encoding="utf-8")
    environ = {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{REPOSITORY}",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": "sk-mock-proxy",
    }
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.run(
        command, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy."""
    return applied(tmp_path_factory.mktemp("copy"))


@pytest.fixture(scope="module")
def seen(copy: Path) -> dict[str, Any]:
    """What a gateway with the new rule did."""
    done = run(copy, ASK, ROUTER)
    assert "RESULT" in done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.partition("RESULT")[2])
    return found


def test_the_rule_refuses_with_its_type(copy: Path, seen: dict[str, Any]) -> None:
    """A long prompt reaches no backend and is told why; a short one is served."""
    assert seen["package"].startswith(str(copy))
    assert seen["short"] == [200, ["main"]]
    status, sent_to, error = seen["long"]
    assert (status, sent_to, error["type"], error["param"]) == (400, [], "invalid_request_error", "messages")
    assert "20 are allowed" in error["message"]


def test_it_is_counted_under_its_own_label_from_the_first_time(seen: dict[str, Any]) -> None:
    """Its failures have a series at zero from the start; the first refusal is counted under its name."""
    assert [line for line in seen["before"] if line.startswith("homelab_rule_errors_total")] == [
        'homelab_rule_errors_total{rule="prompt_limit"} 0.0'
    ]
    [refused] = [line for line in seen["after"] if line.startswith("homelab_refusals_total")]
    assert refused.endswith(" 1.0")
    assert 'rule="prompt_limit"' in refused


def test_it_is_in_the_table_of_the_docs(seen: dict[str, Any]) -> None:
    """The page's table is made from the registry."""
    [row] = [line for line in seen["table"].splitlines() if line.startswith("| `prompt_limit`")]
    assert "`homelab.prompt_limit`" in row
    assert "`adapter/policies/prompt_limit.py`" in row


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            "[prometheus, litellm_homelab.plugin]", "[prometheus]", "litellm_homelab.plugin", id="no plugin"
        ),
        pytest.param(
            "characters: 20", "characters: none", "homelab.prompt_limit.characters", id="a wrong value"
        ),
    ],
)
def test_the_start_stops_where_it_cannot_apply(copy: Path, old: str, new: str, said: str) -> None:
    """With its section set and the plugin not listed, and with a wrong value in the section."""
    done = run(copy, CHECK, ROUTER.replace(old, new))
    assert done.returncode != 0
    assert "SettingsError" in done.stderr
    assert said in done.stderr
    assert "homelab.prompt_limit" in done.stderr


def test_the_page_has_the_table_of_the_registry() -> None:
    """`python -m tests.docs.policies_page --write` puts it there."""
    page = extension_points.PAGE.read_text(encoding="utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0] == table()
