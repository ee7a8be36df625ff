"""Headers that have not been reviewed are removed from every request, and counted."""

from __future__ import annotations

import pytest

from litellm_homelab.adapter import context
from litellm_homelab.adapter.middleware.closed_headers import REMEMBERED, ClosedHeaders

PAIRS = [
    (b"authorization", b"Bearer k"),
    (b"X-Steer-To", b"fast"),
    (b"x-steer-to", b"deep"),
    (b"x-of-an-app", b"1"),
]


def closed(name: str) -> bool:
    """A header of a newer LiteLLM."""
    return name.startswith("x-steer-")


@pytest.mark.parametrize("times", [1, 2])
def test_a_closed_header_is_taken_off(times: int) -> None:
    """However it is spelt, each time; the others stay in their order."""
    headers = ClosedHeaders(closed)
    for _ in range(times):
        with context.request("/v1/chat/completions") as record:
            left = headers.off(record, {"type": "http", "headers": PAIRS})
            assert left["headers"] == [PAIRS[0], PAIRS[3]]
            assert record.stats.stripped == {"x-steer-to"}


def test_a_request_without_one_is_the_same_object() -> None:
    """Nothing is copied for an ordinary request."""
    headers, scope = ClosedHeaders(closed), {"type": "websocket", "headers": [PAIRS[0], PAIRS[3]]}
    with context.request("/") as record:
        assert headers.off(record, scope) is scope
        assert headers.off(record, scope) is scope


def test_made_up_names_fill_no_memory() -> None:
    """No more than a number of names is remembered, none of them long."""
    headers = ClosedHeaders(closed)
    with context.request("/") as record:
        for number in range(REMEMBERED * 3):
            headers.off(record, {"type": "http", "headers": [(b"x-%d" % number, b""), (b"y" * 99, b"")]})
    assert len(headers._open) == REMEMBERED
    assert b"y" * 99 not in headers._open
