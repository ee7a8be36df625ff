"""The catalogue of refusals."""

from __future__ import annotations

import pytest

from litellm_homelab.decision import STATUS, RefusalType, Refuse

CONTRACT = {
    "authentication_error": 401,
    "model_not_found": 404,
    "route_not_allowed": 403,
    "param_not_allowed": 400,
    "approach_not_allowed": 400,
    "approach_in_prompt": 400,
    "loop_detected": 508,
    "fanout_exceeded": 422,
    "quota_exceeded": 429,
    "model_absent": 503,
    "backend_busy": 429,
    "upstream_timeout": 504,
    "policy_error": 503,
    "invalid_request_error": 400,
    "body_too_large": 413,
}
"""Status of each type, as clients may rely on them: the contract's, and what was added to them."""


def test_the_catalogue_has_types_of_the_contract_only() -> None:
    """Each with a status of its own."""
    assert {kind.value for kind in RefusalType} <= set(CONTRACT)
    assert set(STATUS) == set(RefusalType)


@pytest.mark.parametrize("kind", RefusalType)
def test_a_refusal_has_its_types_status_and_headers(kind: RefusalType) -> None:
    """A 5xx asks the SDK not to retry; a 4xx needs no such word."""
    refusal = Refuse(kind, "Do this instead.")
    assert refusal.status == CONTRACT[kind.value]
    assert refusal.headers == ({"x-should-retry": "false"} if refusal.status >= 500 else {})
    assert refusal.param is None
