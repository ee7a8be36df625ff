"""What MockProxy puts in the place of variables that are not set."""

from __future__ import annotations

from pathlib import Path

import pytest

from litellm_homelab.config import loading
from litellm_homelab.config.settings import Known
from litellm_homelab.testing.mock_proxy import _placeholders

ROUTER = """
homelab: {showroom: {handles: [main]}, state: os.environ/STATE}
model_list:
  - model_name: main  # os.environ/IN_A_COMMENT
    litellm_params: {model: os.environ/MODEL, api_base: os.environ/MAIN_URL, api_key: os.environ/MAIN_KEY}
litellm_settings: {callbacks: [litellm_homelab.plugin]}
"""


def test_they_pass_the_checks_of_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the setting, not by the name: addresses, a store in memory; all of a line are found."""
    monkeypatch.setenv("MAIN_KEY", "set")
    (tmp_path / "router.yaml").write_text(ROUTER, encoding="utf-8")
    made = _placeholders(tmp_path / "router.yaml")
    assert made.keys() == {"MODEL", "MAIN_URL", "STATE"}
    assert made["STATE"] == "memory://"
    environ = {**made, "MAIN_KEY": "set"}
    assert loading.parse(ROUTER, path="router.yaml", environ=environ, known=Known()).handles == ("main",)
