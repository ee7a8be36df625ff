"""Addresses of servers, as people give them to commands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.formats.server_address import AddressUnusable, is_plain, server_address


@pytest.mark.parametrize(
    ("given", "origin", "path"),
    [
        ("127.0.0.1:4000", "http://127.0.0.1:4000", ""),
        ("https://lab.example", "https://lab.example", ""),
        ("http://[::1]:8080/", "http://[::1]:8080", ""),
        ("https://lab.example/llm/v1/", "https://lab.example", "/llm/v1"),
    ],
)
def test_an_address(given: str, origin: str, path: str) -> None:
    """HTTP unless it says otherwise; the path has no slash at its end."""
    found = server_address(given)
    assert (found.origin, found.path) == (origin, path)


def test_endings_are_taken_off_in_their_order() -> None:
    """Each once, and those that are there."""
    found = server_address("http://lab:1/a/v1/models")
    assert found.below("/models", "/v1") == "http://lab:1/a"
    assert found.below("/v1") == "http://lab:1/a/v1/models"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "is not usable (valid: http://127.0.0.1:4000)"),
        ("ftp://lab", "is not usable (valid: http://127.0.0.1:4000)"),
        ("http://", "is not usable (valid: http://127.0.0.1:4000)"),
        ("http://lab:0", "is not usable (valid: http://127.0.0.1:4000)"),
        ("http://lab:99999", "is not usable (valid: http://127.0.0.1:4000)"),
        ("http://[lab", "is not usable (valid: http://127.0.0.1:4000)"),
        ("http://a b", "is not usable: it has a space or a special character in it"),
        ("http://sk-secret@lab", "has more in it than host, port and path; a key does not belong there"),
        ("http://lab?key=sk-secret", "has more in it than host, port and path; a key does not belong there"),
        ("http://lab#sk-secret", "has more in it than host, port and path; a key does not belong there"),
    ],
)
def test_what_is_not_one(given: str, why: str) -> None:
    """The message says why, and does not repeat what was given: it may be a key."""
    with pytest.raises(AddressUnusable) as error:
        server_address(given, "the address of the gateway")
    assert str(error.value) == f"the address of the gateway {why}"


@given(st.text())
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    """And what is one can be in a request line."""
    try:
        found = server_address(text)
    except AddressUnusable:
        return
    assert is_plain(found.below())
