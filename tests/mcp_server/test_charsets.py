"""Which encoding a page is read in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_homelab.mcp_server.charsets import codec_of, decoded


@pytest.mark.parametrize(
    ("body", "label", "text"),
    [
        ("ü".encode(), "utf-8", "ü"),
        ("ü".encode(), "", "ü"),
        ("ü".encode("latin-1"), "", "ü"),
        ("ü€".encode("cp1252"), "iso-8859-1", "ü€"),
        ("ж".encode("koi8-r"), "KOI8-R", "ж"),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        (b"\xef\xbb\xbf" + "ü".encode(), "iso-8859-1", "ü"),
        ("\ufeffü".encode("utf-16-le"), "", "ü"),
        (b"\xfe\xff" + "ü".encode("utf-16-be"), "utf-8", "ü"),
        (b'<meta charset="windows-1251">' + "ж".encode("cp1251"), "", '<meta charset="windows-1251">ж'),
        (b'<?xml version="1.0" encoding="koi8-r"?>' + "ж".encode("koi8-r"), "", None),
        (b"<meta charset=utf-7>+AGE-", "utf-7", "<meta charset=utf-7>+AGE-"),
        (b"a\xffb", "utf-8", "a\ufffdb"),
        (b"", "", ""),
    ],
)
def test_encodings(body: bytes, label: str, text: str | None) -> None:
    """The mark, then the header, then the page's own word, then a guess; what cannot be read is replaced."""
    found = decoded(body, label)
    assert found == text if text is not None else found.endswith("ж")


@pytest.mark.parametrize(
    "label",
    [
        *(
            "utf-7",
            "idna",
            "punycode",
            "unicode_escape",
            "raw_unicode_escape",
            "rot13",
            "hex",
            "zlib",
            "cp037",
        ),
        *("", "x" * 99, "utf-8\0", "\xfctf-8", "mbcs", "undefined"),
    ],
)
def test_other_codecs_of_python_are_not_used(label: str) -> None:
    """They are none of the web's: they hide text, take long, or are not text at all."""
    assert codec_of(label) is None


def test_a_cut_character_is_left_out() -> None:
    """A page that was cut in the middle of one is UTF-8 still."""
    body = "ab€".encode()[:-1]
    assert decoded(body, "", is_whole=False) == "ab"
    assert decoded(body, "") != "ab"


@given(st.binary(max_size=500), st.text(max_size=30))
def test_any_bytes_are_text(body: bytes, label: str) -> None:
    """Whatever the header says."""
    assert isinstance(decoded(body, label), str)
