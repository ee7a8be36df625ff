"""The self-test on the installed LiteLLM, and on one that behaves otherwise."""

from __future__ import annotations

import pytest
from litellm import utils

from litellm_homelab.testing.selftest import run
from litellm_homelab.testing.selftest.check import Check, Seen
from litellm_homelab.testing.selftest.checks import CHECKS
from litellm_homelab.testing.selftest.gateway import SelfTestGateway


async def test_everything_holds_on_the_installed_litellm() -> None:
    """Every check passes, each is reported as it ends, and no name stands for two."""
    done: list[str] = []
    report = await run.tried(lambda result: done.append(result.name))
    assert [(one.name, one.expected, one.saw) for one in report.failed] == []
    assert done == [one.name for one in CHECKS]
    assert len(set(done)) == len(done) >= 20


async def _broken(_: SelfTestGateway) -> Seen:
    raise KeyError("healthy_deployments")


async def test_a_litellm_without_the_attempt_hook_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where LiteLLM stops asking before an attempt, the checks that rest on it fail; others go on."""

    async def silent(kwargs: object, call_type: str) -> None:
        return None

    monkeypatch.setattr(utils, "async_pre_call_deployment_hook", silent)
    about = (
        "a refusal gives one attempt",
        "the attempt hook runs on fallbacks",
        "listings show handles only",
    )
    checks = [one for one in CHECKS if one.name.startswith(about)]
    report = await run.tried(checks=[*checks, Check("one that raises", "nothing", _broken)])
    found = {one.name: one for one in report.results}
    assert found["listings show handles only"].ok
    assert [one.name for one in report.failed] == [
        "a refusal gives one attempt and no fallback",
        "the attempt hook runs on fallbacks",
        "one that raises",
    ]
    assert found["one that raises"].saw == "KeyError: 'healthy_deployments'"
    assert found["the attempt hook runs on fallbacks"].saw == []
