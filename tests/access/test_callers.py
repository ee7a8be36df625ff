"""Whose key is it? The keyring, and what it keeps of a key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.access.callers import MASTER, Caller, Keyring
from litellm_homelab.config.loading import parse
from litellm_homelab.config.settings import Known, Settings

MASTER_KEY = "sk-the-master-key"
CALLERS: dict[str, dict[str, Any]] = {
    "app": {"key": "sk-app-key-1", "handles": ["main"]},
    "changing": {"key": "sk-old-key-1", "next_key": "sk-new-key-1"},
    "optillm": {"key": "sk-optillm-key", "role": "optillm"},
    "prometheus": {"key": "sk-metrics-key", "role": "metrics"},
}


def settings(callers: dict[str, dict[str, Any]]) -> Settings:
    """Checked settings with these callers."""
    text = {
        "homelab": {"showroom": {"handles": ["main"]}, "callers": callers},
        "model_list": [{"model_name": "main", "litellm_params": {"model": "openai/main"}}],
        "litellm_settings": {"callbacks": ["litellm_homelab.plugin"]},
        "general_settings": {"master_key": MASTER_KEY, "custom_auth": "litellm_homelab.gate"},
    }
    return parse(json.dumps(text), path="router.yaml", environ={}, known=Known())


KEYRING = Keyring.from_settings(settings(CALLERS))


@pytest.mark.parametrize(
    ("key", "caller"),
    [
        pytest.param("sk-app-key-1", Caller("app", handles=frozenset({"main"})), id="a client"),
        pytest.param("sk-old-key-1", Caller("changing"), id="the old of two"),
        pytest.param("sk-new-key-1", Caller("changing"), id="the new of two"),
        pytest.param("sk-optillm-key", Caller("optillm", "optillm"), id="OptiLLM"),
        pytest.param("sk-metrics-key", Caller("prometheus", "metrics"), id="metrics"),
        pytest.param(MASTER_KEY, MASTER, id="the master key"),
    ],
)
def test_a_key_is_its_callers(key: str, caller: Caller) -> None:
    """With the role and the handles of the settings."""
    assert KEYRING.find(key) == caller


KEYS = [MASTER_KEY, *(caller[name] for caller in CALLERS.values() for name in caller if "key" in name)]


@given(
    key=st.text() | st.sampled_from(KEYS).flatmap(lambda key: st.text(max_size=2).map(lambda end: key + end))
)
def test_any_other_text_is_nobodys(key: str) -> None:
    """No text is a key but the keys; none makes the search break, half an emoji included."""
    assert (KEYRING.find(key) is None) == (key not in KEYS)


def test_no_key_is_kept() -> None:
    """Neither in the keyring nor in what the settings show of themselves."""
    shown = repr(KEYRING) + repr(settings(CALLERS).homelab.callers)
    assert not any(key in shown for key in KEYS)


def test_without_callers_the_master_key_is_known() -> None:
    """And nothing else."""
    alone = Keyring.from_settings(settings({}))
    assert alone.find(MASTER_KEY) is MASTER
    assert alone.find("sk-app-key-1") is None
