"""Whom to ask."""

from __future__ import annotations

import pytest

from litellm_homelab.probe.target import TargetUnusable, key_of, target

KEY = "sk-of-the-test-0123456789"


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("http://box:8000", "http://box:8000"),
        ("box:8000", "http://box:8000"),
        ("http://box:8000/v1", "http://box:8000"),
        ("http://box:8000/v1/", "http://box:8000"),
        ("http://box:8000/v1/chat/completions", "http://box:8000"),
        ("http://box:8000/v1/models", "http://box:8000"),
        ("https://box/llm/v1", "https://box/llm"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
    ],
)
def test_the_address(base: str, root: str) -> None:
    """In the forms in which people have it."""
    found = target(base)
    assert (found.root, found.api_base) == (root, f"{root}/v1")


@pytest.mark.parametrize(
    ("base", "key"),
    [
        pytest.param("ftp://box", "", id="another scheme"),
        pytest.param("http://", "", id="no host"),
        pytest.param("http://box:port", "", id="no port"),
        pytest.param(f"http://{KEY}@box", "", id="a key as user"),
        pytest.param(f"http://box?key={KEY}", "", id="a key as query"),
        pytest.param("http://a b", "", id="a space"),
        pytest.param("http://box", f"{KEY}\r\nx: y", id="a header in the key"),
    ],
)
def test_what_cannot_be_used(base: str, key: str) -> None:
    """Said without the key."""
    with pytest.raises(TargetUnusable) as error:
        target(base, key)
    assert KEY not in str(error.value)


def test_a_key_comes_from_a_variable() -> None:
    """A name that is none is not repeated: it may be the key itself."""
    assert key_of("NAME", {"NAME": f" {KEY}\n"}) == KEY
    for environ in ({}, {KEY: " "}):
        with pytest.raises(TargetUnusable) as error:
            key_of(KEY, environ)
        assert KEY not in str(error.value)
