"""Deployments that ask no Python hook: what counts as switched on, and what LiteLLM makes of the key."""

from __future__ import annotations

import pytest
from litellm.proxy.auth.auth_utils import _BANNED_REQUEST_BODY_PARAMS
from litellm.rust_bridge import configuration
from litellm.types.litellm_params import KWARG_ARTIFACTS

from litellm_homelab.config import rust_checks


@pytest.mark.parametrize("value", [True, 1, "true", "yes", "on", "1", "os.environ/RUST", {"a": 1}])
def test_what_is_not_plainly_off_is_on(value: object) -> None:
    """Closed: a spelling that nobody knows counts as on."""
    assert rust_checks.is_on(value)


@pytest.mark.parametrize("value", [None, False, 0, "", "false", "No", " off ", "0", {}])
def test_off_is_off(value: object) -> None:
    """Who switched it off is not bothered."""
    assert not rust_checks.is_on(value)


@pytest.mark.parametrize(
    "value", ["1", "true", "TRUE", " on ", "yes", "t", "y", "0", "off", "", "maybe", "2"]
)
def test_the_variable_is_read_as_litellm_reads_it(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """`LITELLM_RUST` switches on for us exactly where it does for the installed LiteLLM."""
    monkeypatch.setenv(rust_checks.VARIABLE, value)
    assert (value.strip().lower() in rust_checks.ON) == configuration.rust_enabled()


def test_a_client_cannot_send_it() -> None:
    """LiteLLM still knows the key: it refuses it from a client, and takes it out of a deployment's call."""
    assert rust_checks.KEY in _BANNED_REQUEST_BODY_PARAMS
    assert rust_checks.KEY in KWARG_ARTIFACTS
