"""What OpenRouter says of a key, and errors that are cut or of an odd shape."""

from __future__ import annotations

import pytest

from litellm_homelab.quotas import bodies
from litellm_homelab.quotas.observations import Observation, Source, State
from litellm_homelab.quotas.windows import Per, Unit
from tests.quotas import shapes


@pytest.mark.parametrize(
    ("used", "limit", "state"),
    [(3, 50, State.OPEN), (50, 50, State.CLOSED), (0, 0, State.ABSENT)],
    ids=["left", "used up", "none"],
)
def test_the_account_of_an_openrouter_key(used: int, limit: int, state: State) -> None:
    """The free models' day is read, not guessed."""
    assert bodies.openrouter_key(shapes.openrouter_key(used, limit)) == (
        Observation(Unit.REQUESTS, Per.DAY, Source.KEY, limit, limit - used, state),
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"data": 1}',
        b'{"data": {"free_model_daily_requests": {"limit": true, "remaining": 1}}}',
        b'{"data": {"free_model_daily_requests": {"limit": 5, "remaining": -1}}}',
    ],
)
def test_another_account_says_nothing(body: bytes) -> None:
    """A key without free models, or an answer of another shape."""
    assert bodies.openrouter_key(body) == ()


def test_an_endless_error_is_cut() -> None:
    """Of an error no more than 64 KB are looked at."""
    assert not bodies.read(429, b'{"error": "' + b"x" * 10_000_000 + b'"}', "", 0).is_known
