"""How often a group is asked again after a timeout."""

from __future__ import annotations

from typing import Any

import pytest

from litellm_homelab.config.retries import after_a_timeout


@pytest.mark.parametrize(
    ("document", "retries"),
    [
        pytest.param({}, 2, id="nothing"),
        pytest.param({"litellm_settings": {"num_retries": 1}}, 1, id="for all of LiteLLM"),
        pytest.param(
            {"litellm_settings": {"num_retries": 1}, "router_settings": {"num_retries": 0}},
            0,
            id="the router's",
        ),
        pytest.param(
            {"router_settings": {"num_retries": 5, "retry_policy": {"TimeoutErrorRetries": 3}}},
            3,
            id="a policy",
        ),
        pytest.param(
            {"router_settings": {"retry_policy": {"DefaultRetries": 4}}}, 4, id="a policy's default"
        ),
        pytest.param(
            {
                "router_settings": {
                    "retry_policy": {"TimeoutErrorRetries": 3},
                    "model_group_retry_policy": {"a": {"TimeoutErrorRetries": 7}},
                }
            },
            7,
            id="the group's policy",
        ),
        pytest.param({"router_settings": {"num_retries": "many"}}, 2, id="no number"),
        pytest.param({"router_settings": ["num_retries"]}, 2, id="no section"),
    ],
)
def test_what_is_nearest_to_the_group_holds(document: dict[str, Any], retries: int) -> None:
    """Its own policy, then the policy of all, then `num_retries`, then the SDK's two."""
    assert after_a_timeout(document, "a") == retries
