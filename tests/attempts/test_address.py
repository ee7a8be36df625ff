"""Addresses compared by scheme, host, port and segments."""

from __future__ import annotations

import pytest

from litellm_homelab.attempts import address

BASE = "http://127.0.0.1:8000/v1"


def _below(url: str, base: str = BASE) -> tuple[str, ...] | None:
    parsed, where = address.parse(base), address.parse(url)
    assert parsed is not None
    return address.below(parsed, where) if where is not None else None


@pytest.mark.parametrize(
    ("url", "rest"),
    [
        ("http://127.0.0.1:8000/v1/chat/completions", ("chat", "completions")),
        ("http://127.0.0.1:8000/v1", ()),
        ("http://127.0.0.1:8000//v1//chat", ("chat",)),
        ("http://127.0.0.1:80001/v1/chat/completions", None),
        ("http://127.0.0.1:8001/v1/chat", None),
        ("http://127.0.0.1/v1/chat", None),
        ("https://127.0.0.1:8000/v1/chat", None),
        ("http://127.0.0.2:8000/v1/chat", None),
        ("http://127.0.0.1:8000@evil.test/v1/chat", None),
        ("http://user:pw@127.0.0.1:8000/v1/chat", None),
        ("http://127.0.0.1:8000/v10/chat", None),
        ("http://127.0.0.1:8000/V1/chat", None),
        ("http://127.0.0.1:8000/v1/../admin", None),
        ("http://127.0.0.1:8000/v1/%2e%2e/admin", None),
        ("http://127.0.0.1:8000/v1/%252e%252e/admin", None),
        ("http://127.0.0.1:8000/v1/..%2fadmin", None),
        ("http://127.0.0.1:8000/v1/chat%5c..%5cadmin", None),
        ("http://127.0.0.1:8000/v1/chat%00", None),
        ("http://127.0.0.1:8000/v1/chat#x", None),
        ("http://127.0.0.1:port/v1/chat", None),
        ("http://[/v1", None),
        ("ftp://127.0.0.1:8000/v1/chat", None),
        ("", None),
    ],
)
def test_below_is_by_segments(url: str, rest: tuple[str, ...] | None) -> None:
    """What follows the base, or None for anything that is elsewhere or could be read in two ways."""
    assert _below(url) == rest


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://GPU.lan/v1", "http://gpu.lan:80/v1/models"),
        ("https://gpu.lan./v1/", "https://gpu.lan:443/v1/models"),
    ],
)
def test_one_address_may_be_written_in_several_ways(base: str, url: str) -> None:
    """Case of the host, the default port, a root dot and a slash at the end make no difference."""
    assert _below(url, base) == ("models",)
