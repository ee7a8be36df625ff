"""Fail closed: a deciding hook that breaks refuses, and says nothing of the request."""

from __future__ import annotations

import logging

import pytest
from fastapi import HTTPException
from litellm.exceptions import GuardrailRaisedException
from litellm.proxy._types import ProxyException

from litellm_homelab.adapter.fail_closed import closed
from litellm_homelab.adapter.litellm_api.exceptions import Refused
from litellm_homelab.decision import RefusalType, Refuse

SECRET = "sk-a-key-and-a-prompt"


@closed("showroom")
async def hook(error: BaseException | None = None) -> str:
    """A deciding hook that does as it is told."""
    if error is not None:
        raise error
    return "decided"


async def test_a_hook_that_decides_is_left_alone() -> None:
    """Its answer and its name stay."""
    assert await hook() == "decided"
    assert hook.__name__ == "hook"


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(KeyError(SECRET), id="KeyError"),
        pytest.param(RecursionError(SECRET), id="RecursionError"),
        pytest.param(AssertionError(), id="AssertionError"),
        pytest.param(ExceptionGroup(SECRET, [ValueError(SECRET)]), id="ExceptionGroup"),
        pytest.param(UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), id="UnicodeDecodeError"),
    ],
)
async def test_any_exception_becomes_a_refusal_and_a_line_without_data(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a 503 that it should not retry; the log has the kind and the place, nothing else."""
    with caplog.at_level(logging.DEBUG, logger="LiteLLM Proxy.homelab"), pytest.raises(Refused) as caught:
        await hook(error)
    refused = caught.value
    assert (refused.status_code, refused.type, refused.param) == (503, "policy_error", None)
    assert refused.headers == {"x-should-retry": "false"}
    assert refused.message.startswith("The gateway's showroom rule failed, so the request was refused.")
    assert refused.__cause__ is error
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith(
        f"homelab showroom rule failed closed: {type(error).__name__} at hook:"
    )
    assert record.exc_info is None
    assert SECRET not in caplog.text + refused.message + str(refused)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Refused(Refuse(RefusalType.MODEL_NOT_FOUND, "No such model.", "model")), id="refusal"),
        pytest.param(HTTPException(429, "slow down"), id="HTTPException"),
    ],
)
async def test_a_deliberate_refusal_passes(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """It reaches LiteLLM as it is, and is no fault to log."""
    with pytest.raises(type(error)) as caught:
        await hook(error)
    assert caught.value is error
    assert caplog.records == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=repr)
async def test_what_ends_the_process_is_not_held_up(error: BaseException) -> None:
    """Only exceptions of a rule are turned into refusals."""
    with pytest.raises(type(error)):
        await closed("showroom")(_raise)(error)


async def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("kind", RefusalType)
def test_a_refusal_is_what_litellm_neither_retries_nor_hides(kind: RefusalType) -> None:
    """Status, type, param and message of the catalogue, on both of LiteLLM's own kinds of exception."""
    refusal = Refuse(kind, "Do this instead.", param="model")
    refused = Refused(refusal)
    assert isinstance(refused, GuardrailRaisedException)
    assert isinstance(refused, ProxyException)
    assert (refused.status_code, refused.code) == (refusal.status, str(refusal.status))
    assert (refused.type, refused.param, refused.message) == (kind.value, "model", "Do this instead.")
    assert refused.headers == refusal.headers
    assert "Do this instead." in str(refused)
