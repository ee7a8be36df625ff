"""A root's tokens and cost are taken out of LiteLLM's account wherever LiteLLM makes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import litellm
import pytest
from litellm.litellm_core_utils.litellm_logging import Logging

from litellm_homelab.adapter.litellm_api import root_accounts
from litellm_homelab.adapter.litellm_api.root_accounts import Roots
from litellm_homelab.optillm.lineage import MARKER

AT = datetime(2026, 1, 1, tzinfo=UTC)
USAGE = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}


class FakeDeployments:
    """Two deployments: one of OptiLLM, one of a wildcard that is OptiLLM."""

    def group_of(self, deployment: str) -> str | None:
        """Say whose deployment it is."""
        return {"id-boost": "boost", "id-any": "boost-*"}.get(deployment)


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    yield
    root_accounts.watch(None)


def _logging(deployment: str, model: str = f"boost{MARKER}abc") -> Logging:
    made = Logging(
        model, [], stream=False, call_type="acompletion", start_time=AT, litellm_call_id="1", function_id="1"
    )
    params = {"metadata": {"model_info": {"id": deployment}}, "model_info": {"id": deployment}}
    made.update_environment_variables(
        model=model, optional_params={}, litellm_params=params, custom_llm_provider="openai"
    )
    made.model_call_details["response_cost"] = 0.25
    return made


def _payload(made: Logging) -> Mapping[str, Any]:
    response = litellm.ModelResponse(model="boost", usage=litellm.Usage(**USAGE))
    payload: Mapping[str, Any] = made._build_standard_logging_payload(response, AT, AT)
    return payload


def test_the_account_of_a_root_has_no_tokens_and_no_cost_as_soon_as_it_is_made() -> None:
    """Whoever makes the account, a thread or the request's task: nobody sees the tokens in it."""
    root_accounts.watch(lambda _: True)
    made = _logging("id-boost")
    payload = _payload(made)
    assert [payload[name] for name in USAGE] == [0, 0, 0]
    assert payload["response_cost"] == 0
    assert made.model_call_details["response_cost"] == 0
    assert MARKER not in str(payload["model_map_information"])


def test_the_account_of_another_request_stays_as_it_is() -> None:
    """Tokens are taken out for roots only."""
    root_accounts.watch(lambda _: False)
    assert {name: _payload(_logging("id-main"))[name] for name in USAGE} == USAGE


def test_nobody_is_asked_once_the_plugin_is_forgotten() -> None:
    """The wrapper stays in its place and does nothing."""
    root_accounts.watch(lambda _: True)
    root_accounts.watch(None)
    assert {name: _payload(_logging("id-boost"))[name] for name in USAGE} == USAGE


def test_litellms_method_is_wrapped_once() -> None:
    """A second load puts no second wrapper around it."""
    root_accounts.watch(lambda _: True)
    once = Logging._build_standard_logging_payload
    root_accounts.watch(lambda _: False)
    assert Logging._build_standard_logging_payload is once


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"standard_logging_object": {"model_id": "id-boost"}}, True),
        ({"litellm_params": {"model_info": {"id": "id-boost"}}}, True),
        ({"standard_logging_object": {"model_id": "id-main"}}, False),
        ({"standard_logging_object": {"model_id": "id-any", "model_group": "boost"}}, True),
        ({"standard_logging_object": {"model_id": "id-any", "model_group": "main"}}, False),
        ({"standard_logging_object": {"model_id": "id-any", "model_group": None}}, False),
        ({"standard_logging_object": None, "litellm_params": None}, False),
    ],
    ids=["payload", "params", "another", "wildcard", "wildcard_other", "wildcard_nameless", "nothing"],
)
def test_a_root_is_known_by_its_deployment(details: dict[str, Any], *, expected: bool) -> None:
    """The chosen deployment decides; for a wildcard's, the name that was asked for."""
    assert Roots(FakeDeployments(), {"boost"})(details) is expected  # type: ignore[arg-type]  # a fake
