"""deploy/kubernetes by the schemas of Kubernetes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.test_kubernetes import ALL
from tests.real.server import VENVS

pytestmark = pytest.mark.real

VALIDATE = VENVS / "manifests" / "bin" / "kubernetes-validate"
NOT_KUBERNETES = {"ServiceMonitor"}
"""Resources of an operator, which Kubernetes' own schemas do not have."""


@pytest.mark.parametrize("version", ["1.33", "1.37"])
def test_kubernetes_accepts_every_resource(version: str, tmp_path: Path) -> None:
    """Strictly: a field that Kubernetes does not know is an error."""
    own = [one for one in ALL if one["kind"] not in NOT_KUBERNETES]
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump_all(own), encoding="utf-8")
    command: list[str | Path] = [VALIDATE, "--strict", "--kubernetes-version", version, path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("passed") == len(own), done.stdout
