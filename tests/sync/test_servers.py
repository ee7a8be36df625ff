"""Addresses compared by where they lead."""

from __future__ import annotations

import pytest

from litellm_homelab.sync.servers import is_at, server


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("http://a/v1", "http://A:80/v1/", True, id="case, port and slash"),
        pytest.param("https://a", "https://a:443/v1", True, id="version"),
        pytest.param("http://127.0.0.1:1/v1", "http://localhost:1", True, id="this machine"),
        pytest.param("http://a/v1/v1", "http://a/v1", False, id="a path"),
        pytest.param("http://a", "https://a", False, id="scheme"),
        pytest.param("os.environ/A", "os.environ/A", True, id="a reference"),
        pytest.param("os.environ/A", "os.environ/a", False, id="another reference"),
    ],
)
def test_one_server_has_one_value(one: str, other: str, same: bool) -> None:
    """Whatever the spelling; what is no address is compared as text."""
    assert (server(one) == server(other)) is same


def test_what_is_below_an_address_is_at_it() -> None:
    """By whole segments of the path."""
    assert is_at("http://a:80/x/v1", ["os.environ/A", "http://A/x/"])
    assert not is_at("http://a/xy", ["http://a/x"])
    assert not is_at("os.environ/A", ["os.environ/A"])
