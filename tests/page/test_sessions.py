"""Sessions: whose cookie it is, and that no other is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.access.callers import MASTER, Caller
from litellm_homelab.page import sessions

SECRET = "a-secret-of-the-gateway"
ME = Caller("me", "admin")
KEYS = (("d1", MASTER), ("d2", ME))
NOW = 1_795_718_400.0


@pytest.mark.parametrize(("digest", "caller"), KEYS)
def test_a_cookie_is_its_owners_until_it_ends(digest: str, caller: Caller) -> None:
    """For twelve hours, and not a second longer."""
    cookie = sessions.minted(SECRET, digest, NOW)
    found = sessions.session(SECRET, cookie, KEYS, NOW)
    assert found is not None
    assert (found.caller, found.expires) == (caller, NOW + sessions.SECONDS)
    assert found.number in cookie
    assert sessions.session(SECRET, cookie, KEYS, NOW + sessions.SECONDS - 1) == found
    assert sessions.session(SECRET, cookie, KEYS, NOW + sessions.SECONDS) is None


def test_a_cookie_ends_with_its_key() -> None:
    """A key that was changed, or is no admin's any more, has no session."""
    cookie = sessions.minted(SECRET, "d2", NOW)
    assert sessions.session(SECRET, cookie, KEYS[:1], NOW) is None


def test_a_cookie_of_another_secret_is_none() -> None:
    """Also where the secret is empty."""
    assert sessions.session("another-secret-of-it", sessions.minted(SECRET, "d1", NOW), KEYS, NOW) is None
    assert sessions.session("", sessions.minted("", "d1", NOW), KEYS, NOW) is None


def test_no_two_cookies_are_the_same_and_none_holds_the_key() -> None:
    """Each has a number of its own."""
    one, other = (sessions.minted(SECRET, "d1", NOW) for _ in range(2))
    assert one != other
    assert "d1" not in one.split(".")


@given(st.integers(min_value=0), st.characters())
def test_a_changed_cookie_is_none(place: int, instead: str) -> None:
    """One character is enough: the time, the number or the signature."""
    cookie = sessions.minted(SECRET, "d1", NOW)
    place %= len(cookie)
    changed = cookie[:place] + instead + cookie[place + 1 :]
    if changed != cookie:
        assert sessions.session(SECRET, changed, KEYS, NOW) is None


@given(st.text())
def test_any_other_text_is_none(text: str) -> None:
    """Never an error."""
    assert sessions.session(SECRET, text, KEYS, NOW) is None
