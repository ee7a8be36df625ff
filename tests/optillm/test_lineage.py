"""Lineage: tokens that come back are recognised, and nothing else is."""

from __future__ import annotations

import base64
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litellm_homelab.optillm import lineage
from litellm_homelab.optillm.lineage import MARKER, ChildName, Forged, Untouched

SECRET = "sk-test-secret"
NOW = 1_800_000_000.0
ROOT = "00112233445566778899aabbccdd"
TOKEN = lineage.mint(SECRET, ROOT, 1, NOW + 60)
TOKEN_BYTES = 35

model_names = st.from_regex(r"[A-Za-z0-9._/-]+(@q[0-9])?", fullmatch=True)
roots = st.binary(min_size=lineage.ROOT_BYTES, max_size=lineage.ROOT_BYTES).map(bytes.hex)
hops = st.integers(0, 255)
expiries = st.integers(1, 2**32 - 1)


@given(model_names, roots, hops, expiries, st.text(max_size=40).filter(lambda text: text.isprintable()))
def test_a_child_gets_its_model_root_and_hop_back(
    model: str, root: str, hop: int, expires_at: int, secret: str
) -> None:
    """What was minted for any model, root, hop and secret opens to the same until it expires."""
    name = model + lineage.mint(secret, root, hop, expires_at)
    assert lineage.open(name, secret, expires_at - 1) == ChildName(model, root, hop)
    assert lineage.open(name, secret, expires_at) == Forged("expired")


@given(roots, hops, expiries)
def test_a_token_is_short_and_survives_optillm(root: str, hop: int, expires_at: int) -> None:
    """A token stays under 90 characters and holds nothing that OptiLLM's name parser or a URL would eat."""
    token = lineage.mint(SECRET, root, hop, expires_at)
    assert len(token) < 90
    assert re.fullmatch(r"@[a-z0-9.]+", token)


@given(st.integers(0, TOKEN_BYTES * 8 - 1))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    """Changing any one bit of root, hop, expiry or signature makes the token foreign."""
    raw = bytearray(base64.b32decode(TOKEN.removeprefix(MARKER).upper()))
    raw[bit // 8] ^= 1 << (bit % 8)
    changed = MARKER + base64.b32encode(bytes(raw)).decode().lower()
    assert lineage.open("fast" + changed, SECRET, NOW) == Forged("foreign")


@given(st.integers(len(MARKER), len(TOKEN) - 1), st.characters())
def test_any_changed_character_is_refused(position: int, character: str) -> None:
    """There is one way to write a token: any other character in its place is refused."""
    name = "fast" + TOKEN[:position] + character + TOKEN[position + 1 :]
    opened = lineage.open(name, SECRET, NOW)
    assert isinstance(opened, ChildName) if name == "fast" + TOKEN else isinstance(opened, Forged)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("fast", id="plain"),
        pytest.param("", id="empty"),
        pytest.param("llama3@q4", id="at-sign"),
        pytest.param("user@homelab", id="marker-without-its-dot"),
        pytest.param("fast" + TOKEN.upper(), id="upper-case"),
        pytest.param("fast" + TOKEN.replace("@", "%40"), id="url-escaped"),
    ],
)
def test_a_name_without_the_marker_is_the_callers_own(name: str) -> None:
    """A name that merely looks similar is left alone, for the showroom to know or not."""
    assert lineage.open(name, SECRET, NOW) == Untouched()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("fast" + MARKER, "malformed", id="nothing-after-the-marker"),
        pytest.param("fast" + TOKEN[:-1], "malformed", id="cut-short"),
        pytest.param("fast" + TOKEN + "a", "malformed", id="one-more-character"),
        pytest.param("fast" + TOKEN + "\n", "malformed", id="newline-at-the-end"),
        pytest.param("fast" + TOKEN + ",deep", "malformed", id="first-of-a-comma-list"),
        pytest.param("fast" + TOKEN + TOKEN, "malformed", id="two-tokens"),
        pytest.param("fast" + MARKER + TOKEN, "malformed", id="marker-twice"),
        pytest.param("fast" + MARKER + TOKEN.removeprefix(MARKER).upper(), "malformed", id="upper-case"),
        pytest.param("fast" + MARKER + "a" * 56, "foreign", id="made-up"),
        pytest.param("fast" + lineage.mint("other", ROOT, 1, NOW + 60), "foreign", id="of-another-gateway"),
        pytest.param("fast" + lineage.mint("other", ROOT, 1, NOW - 60), "foreign", id="foreign-and-expired"),
        pytest.param("fast" + lineage.mint(SECRET, ROOT, 1, NOW), "expired", id="expired"),
    ],
)
def test_a_marker_that_does_not_verify_is_forged(name: str, reason: lineage.Reason) -> None:
    """A name with our marker and no genuine token is forged, and why is told apart for counting."""
    assert lineage.open(name, SECRET, NOW) == Forged(reason)


@given(st.text() | st.text().map(lambda text: text + MARKER + text), st.floats())
@example("\ud800" + MARKER + "\udfff", float("nan"))
def test_no_input_raises_and_no_stranger_is_a_child(name: str, now: float) -> None:
    """Whatever the name and the time, opening answers, and no unsigned name is a child."""
    assert isinstance(lineage.open(name, SECRET, now), Untouched | Forged)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a" * 1_000_000, id="no-marker"),
        pytest.param("@homelab" * 125_000, id="nearly-the-marker"),
        pytest.param(MARKER * 110_000, id="markers"),
        pytest.param("fast" + MARKER + "a" * 1_000_000, id="long-token"),
    ],
)
def test_a_long_name_costs_no_more_than_reading_it(name: str) -> None:
    """The work grows with the name, not with its square: no decoding, signing or backtracking over it."""
    expected = Forged("malformed") if MARKER in name else Untouched()
    assert lineage.open(name, SECRET, NOW) == expected
    assert shortest(name) < 40 * max(shortest(name[: len(name) // 10]), TICK)


TICK = 1e-5
"""Seconds: below this a clock says nothing."""


def shortest(name: str) -> float:
    """Seconds for one name, the best of some tries."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        lineage.open(name, SECRET, NOW)
        times.append(time.perf_counter() - begun)
    return min(times)


def test_a_root_is_met_once() -> None:
    """Fresh roots are valid ids and differ from each other."""
    fresh = {lineage.new_root() for _ in range(100)}
    assert len(fresh) == 100
    assert all(lineage.mint(SECRET, root, 0, NOW) for root in fresh)


@pytest.mark.parametrize(
    ("root", "hop", "expires_at"),
    [
        pytest.param("beef", 1, NOW, id="short-root"),
        pytest.param("not hexadecimal", 1, NOW, id="no-hexadecimal"),
        pytest.param(ROOT.upper(), 1, NOW, id="upper-case-root"),
        pytest.param(ROOT, 256, NOW, id="hop-too-large"),
        pytest.param(ROOT, -1, NOW, id="negative-hop"),
        pytest.param(ROOT, 1, -1.0, id="before-1970"),
        pytest.param(ROOT, 1, float("inf"), id="never"),
        pytest.param(ROOT, 1, float("nan"), id="no-time"),
    ],
)
def test_minting_from_nonsense_is_the_gateways_own_error(root: str, hop: int, expires_at: float) -> None:
    """A root, hop or expiry that cannot be written is a ValueError, not a token that would not open."""
    with pytest.raises(ValueError, match=r"^lineage: "):
        lineage.mint(SECRET, root, hop, expires_at)


def test_the_key_is_hkdf_of_the_secret() -> None:
    """The signing key is HKDF-SHA256 (RFC 5869) of the secret, so the secret itself signs nothing."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(SHA256(), length=32, salt=None, info=b"litellm-homelab lineage 1").derive(SECRET.encode())
    assert lineage._key(SECRET) == derived


def test_what_is_left_of_a_token_makes_no_other() -> None:
    """A text that was made so that its pieces come together to a token shows none either."""
    token = lineage.mint("secret", lineage.new_root(), 1, 2_000_000_000)
    assert token not in lineage.erased(f"base@home@homelab.{'a' * 56}{token.removeprefix('@home')}")
    assert lineage.erased(f"no model base{token}, sorry") == "no model base, sorry"
