"""What the hooks say of the LiteLLM that they run in."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from litellm_homelab import TESTED_LITELLM
from litellm_homelab.adapter import startup


@pytest.fixture
def warnings(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.LogCaptureFixture]:
    """What is logged at WARNING or above; LiteLLM's parent logger may keep it from the root's handlers."""
    monkeypatch.setattr(startup.log, "propagate", False)
    startup.log.addHandler(caplog.handler)
    yield caplog
    startup.log.removeHandler(caplog.handler)


def test_an_untested_litellm_is_warned_about(
    warnings: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that the tests did not run against is named, with those that they did, at WARNING."""
    monkeypatch.setattr(startup, "version", lambda package: "9.9.9")

    startup.warn_if_untested()

    assert [record.levelno for record in warnings.records] == [logging.WARNING]
    assert "LiteLLM 9.9.9 is not a tested version" in warnings.text
    assert all(version in warnings.text for version in TESTED_LITELLM)
    assert "run: litellm-homelab selftest" in warnings.text


@pytest.mark.parametrize("installed", TESTED_LITELLM)
def test_a_tested_litellm_is_not(
    warnings: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, installed: str
) -> None:
    """A tested version starts without a word."""
    monkeypatch.setattr(startup, "version", lambda package: installed)

    startup.warn_if_untested()

    assert not warnings.records
