"""A command of the package with nothing but what its GitHub Action installs: pydantic and PyYAML."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[2]
WITHOUT_THE_REST = r"""
import json, sys
missing = frozenset(json.loads(sys.argv.pop(1)))
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from litellm_homelab.cli import main
status = main(sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(status)
"""


def run(*words: str, also: Sequence[str] = ()) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """
    How the command ends where every other package is missing, and the modules that it has imported.

    Packages of `also` are there too.
    """
    command = [sys.executable, "-c", WITHOUT_THE_REST, json.dumps(sorted(_missing(also))), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    return done, {*json.loads(done.stderr.splitlines()[-1])}  # behind what the command says there


def _missing(also: Sequence[str]) -> set[str]:
    """Every module here of a package that neither the GitHub Action installs nor `also` names."""
    action = (REPOSITORY / "action.yml").read_text(encoding="utf-8")
    todo = [Requirement(one).name for one in re.findall(r"'([a-z]\w+>=[\d.]+)'", action)]
    assert todo
    todo += also
    installed = {"litellm-homelab"}
    while todo:
        name = canonicalize_name(todo.pop())
        if name not in installed:
            installed.add(name)
            needs = [Requirement(line) for line in requires(name) or ()]
            todo += [one.name for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {
        module
        for module, owners in packages_distributions().items()
        if not installed & {canonicalize_name(owner) for owner in owners}
    }
