"""Which lines load the package (what is said of wrong ones: tests/settings/entry_point*.txt)."""

from __future__ import annotations

import pytest

from litellm_homelab import hooks
from litellm_homelab.config.entry_points import LINES, OLD, is_loaded_at_startup
from litellm_homelab.config.loading import parse
from litellm_homelab.config.settings import Known, SettingsError

ROUTER = """
homelab:
  showroom: {handles: [main]}
  callers: {app: {key: sk-a-key-of-the-app}}
model_list:
  - model_name: main
    litellm_params: {model: lm_studio/main, api_base: "http://127.0.0.1:8080/v1", api_key: none}
general_settings: {master_key: sk-master-of-the-test}
"""


@pytest.mark.parametrize(
    ("hooks", "loaded"),
    [
        ("litellm_homelab:startup", True),
        ("other:start, litellm_homelab:startup ,more:start", True),
        ("litellm_homelab:other", False),
        ("", False),
    ],
)
def test_a_startup_hook_loads_both(hooks: str, loaded: bool) -> None:
    """With it in LiteLLM's variable, router.yaml needs neither line."""
    environ = {"LITELLM_WORKER_STARTUP_HOOKS": hooks}
    assert is_loaded_at_startup(environ) is loaded
    if loaded:
        assert parse(ROUTER, path="router.yaml", environ=environ, known=Known()).handles == ("main",)
    else:
        with pytest.raises(SettingsError, match=r"litellm_homelab\.plugin is missing"):
            parse(ROUTER, path="router.yaml", environ=environ, known=Known())


@pytest.mark.parametrize("name", OLD)
def test_an_old_name_stops_the_start_with_the_new_lines(name: str) -> None:
    """LiteLLM's loader asks the module before any check of ours has run."""
    with pytest.raises(SettingsError) as caught:
        getattr(hooks, name)
    assert LINES in str(caught.value)
    assert f"litellm_homelab.hooks.{name}" in str(caught.value)
