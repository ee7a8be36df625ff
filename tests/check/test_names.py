"""The names in litellm.json are those of the installed LiteLLM."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from litellm_homelab.check.names import SECTIONS, SLIP, litellm_names
from litellm_homelab.config.wording import closest

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "litellm_settings.py"
FILE = REPOSITORY / "litellm_homelab" / "check" / "litellm.json"


def test_the_file_is_made_from_the_installed_litellm() -> None:
    """Whoever locks another LiteLLM makes the file anew: `.venv/bin/python scripts/litellm_settings.py`."""
    assert litellm_names().version == version("litellm")
    command = [sys.executable, str(SCRIPT), "--print"]  # no other test has changed LiteLLM there
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert FILE.read_text(encoding="utf-8") == done.stdout[done.stdout.index("{\n") :]


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("router_settings", "fallbacks"),
        ("router_settings", "model_group_retry_policy"),
        ("litellm_settings", "drop_params"),
        ("litellm_settings", "cache_params"),
        ("litellm_settings", "set_verbose"),
        ("litellm_settings", "sse_keepalive_ping_interval_seconds"),
        ("general_settings", "master_key"),
        ("general_settings", "disable_model_info_refresh"),
        ("general_settings", "pass_through_endpoints"),
        ("sections", "search_tools"),
        ("sections", "environment_variables"),
    ],
)
def test_settings_of_every_kind_are_known(section: str, name: str) -> None:
    """Arguments of the router, variables of the module, keys that are read from a mapping."""
    assert name in litellm_names().settings[section]


@pytest.mark.parametrize("section", SECTIONS)
def test_what_does_nothing_is_not_known(section: str) -> None:
    """The two timeouts that LiteLLM's documentation has, and its code has not."""
    assert {"ttft_timeout", "stream_idle_timeout"}.isdisjoint(litellm_names().settings[section])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("strem_timeout", "stream_timeout"),
        ("Stream-Timeout", "stream_timeout"),
        ("stream_timeout", None),
        ("top_k", None),
    ],
)
def test_a_slip_is_close_to_a_name(name: str, meant: str | None) -> None:
    """One letter, another spelling; neither the name itself nor what is like nothing."""
    assert closest(name, ("timeout", "stream_timeout", "num_retries"), SLIP) == meant
