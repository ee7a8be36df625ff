"""Headers as lists of pairs: found by name, however the name is written, and kept in their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.formats import header_pairs

PAIRS = [(b"Accept", b"*/*"), (b"x-b", b"1"), (b"ACCEPT", b"text/html"), (b"x-a", b"2")]
NAMES = st.sampled_from([b"Accept", b"accept", b"ACCEPT", b"x-a", b"X-A", b"x-b"])


def test_a_header_is_found_however_its_name_is_written() -> None:
    """Each of its values, in their order; another header has none."""
    assert header_pairs.values(PAIRS, b"accept") == [b"*/*", b"text/html"]
    assert header_pairs.values(PAIRS, b"host") == []
    assert header_pairs.names(PAIRS) == [b"accept", b"x-b", b"accept", b"x-a"]


def test_pairs_stay_as_they_are() -> None:
    """The very same pairs; the test gets each name as it is written."""
    assert header_pairs.those(PAIRS, {b"x-a", b"ACCEPT"}.__contains__) == [PAIRS[2], PAIRS[3]]
    assert header_pairs.those([("a", "1"), ("b", "2")], {"b"}.__contains__) == [("b", "2")]


@given(pairs=st.lists(st.tuples(NAMES, st.binary(max_size=3))), name=NAMES.map(bytes.lower))
def test_what_is_found_is_what_a_loop_finds(pairs: list[tuple[bytes, bytes]], name: bytes) -> None:
    """For any list of headers."""
    found = [value for own, value in pairs if own.lower() == name]
    assert header_pairs.values(pairs, name) == found
    assert header_pairs.those(pairs, name.__eq__) == [pair for pair in pairs if pair[0] == name]
