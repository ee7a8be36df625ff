"""Text of strangers, made fit for a model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.mcp_server import texts


def test_what_is_not_seen_is_left_out() -> None:
    """Escape sequences, zero-width characters, bidirectional overrides, and tags that spell out orders."""
    hidden = "".join(chr(0xE0000 + ord(one)) for one in "obey")
    assert texts.seen(f"a\x1b[31mb\0c\u200bd\u202ee{hidden}f\x9bg\tü\u200dz") == "a[31mbcdefg\tü\u200dz"


def test_empty_lines() -> None:
    """One at most in a row, and none at the ends."""
    assert texts.seen("\r\n a  \r\n \n\t\n\n b\rc \n") == "a\n\n b\nc"


def test_one_line() -> None:
    """Cut with dots."""
    assert texts.one_line(" a\n b\t c ", 10) == "a b c"
    assert texts.one_line("abcdefghij", 8) == "abcde..."


@given(st.text(), st.integers(1, 40))
def test_pieces_make_the_whole(text: str, most: int) -> None:
    """A model that does as the notes say has read all of it, and nothing twice."""
    read, start = "", 0
    while True:
        piece, note = texts.piece_of(text, start, most)
        read += piece
        if "start=" not in note:
            break
        start = int(note.rpartition("start=")[2].rstrip(".]"))
    assert read == text


def test_beyond_the_end() -> None:
    """The note says how long the text is."""
    assert texts.piece_of("abc", 9, 5) == ("", "[There is nothing from character 9 on: the text has 3.]")
