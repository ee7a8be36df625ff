"""
Lineage: the signed, expiring token that ties OptiLLM's calls back to the request that caused them.

It rides at the end of the model name, `fast@homelab.<56 characters>`: the one place that reaches every call
back of every approach, where headers, `user` and `metadata` are erased (measured on OptiLLM 0.3.12, 0.4.0).
The alphabet has none of `-`, `&`, `|`, which OptiLLM's prefix parser looks for, and nothing but `@` that a
URL escapes. A token identifies and never grants: what a child may use comes from its caller's role alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import secrets
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

MARKER = "@homelab."
"""What a token begins with; a name that contains it and does not verify is forged."""

ROOT_BYTES = 14
"""112 random bits: with the other fields the token is 35 bytes, which base32 writes without spare bits."""

_CLAIMS = struct.Struct(f">{ROOT_BYTES}sBI")  # root, hop, expiry in unix seconds (until the year 2106)
_SIGNATURE_BYTES = 16  # HMAC truncated to half of its length, the least that RFC 2104 section 5 recommends
_ROOT = re.compile(rf"[0-9a-f]{{{2 * ROOT_BYTES}}}")
_TOKEN = re.compile(r"[a-z2-7]{56}")
_ANYWHERE = re.compile(rf"{re.escape(MARKER)}[a-z2-7]{{0,56}}")
_PURPOSE = b"litellm-homelab lineage 1"
_SALT = bytes(hashlib.sha256().digest_size)  # RFC 5869 section 2.2: what stands for a salt not given

Reason: TypeAlias = Literal["malformed", "foreign", "expired"]
"""Why a token is not one, for counting only: the client gets one wording for all of them."""


@dataclass(frozen=True, slots=True)
class Untouched:
    """The name carries no token: it is the caller's own."""


@dataclass(frozen=True, slots=True)
class ChildName:
    """The name carried a genuine token: `model` is the name without it."""

    model: str
    root: str
    hop: int


@dataclass(frozen=True, slots=True)
class Forged:
    """
    The name carries our marker and no genuine token.

    `malformed`: not a token at its end, or more than one; `foreign`: not signed with this secret, or changed
    since; `expired`: ours, and past its time.
    """

    reason: Reason


Opened: TypeAlias = Untouched | ChildName | Forged


def new_root() -> str:
    """Return a fresh root id: 28 lower-case hexadecimal digits, never to be guessed or met twice."""
    return secrets.token_hex(ROOT_BYTES)


def mint(secret: str, root: str, hop: int, expires_at: float) -> str:
    """
    Return the suffix that makes a model name a child of `root`: 65 characters, marker included.

    `root` comes from `new_root`, `hop` is 0 to 255, `expires_at` is in unix seconds (rounded up).
    Raises ValueError for anything else: those are the gateway's own values, never a client's.
    """
    root_bytes = _root_bytes(root)
    try:
        claims = _CLAIMS.pack(root_bytes, hop, math.ceil(expires_at))
    except (struct.error, OverflowError, ValueError) as error:
        raise ValueError(f"lineage: hop {hop!r} or expiry {expires_at!r} out of range: {error}") from None
    token = base64.b32encode(claims + _signature(secret, claims))
    return MARKER + token.decode("ascii").lower()


def open(name: str, secret: str, now: float) -> Opened:  # noqa: A001 - the word for it: `lineage.open(name, ...)`
    """
    Take the token off a model name and verify it; `now` is in unix seconds.

    Never raises. Its work: one search for the marker, and one HMAC where a token of the right shape follows.
    """
    model, marker, token = name.partition(MARKER)
    if not marker:
        return Untouched()
    if not _TOKEN.fullmatch(token):  # a second token makes this one too long
        return Forged("malformed")
    raw = base64.b32decode(token.upper())
    claims, signature = raw[: _CLAIMS.size], raw[_CLAIMS.size :]
    if not hmac.compare_digest(signature, _signature(secret, claims)):
        return Forged("foreign")
    root, hop, expires_at = _CLAIMS.unpack(claims)
    return ChildName(model, root.hex(), hop) if now < expires_at else Forged("expired")


def erased(text: str) -> str:
    """Return a text without any token, or the start of one: for errors in which OptiLLM repeats the name."""
    text = _ANYWHERE.sub("", text) if MARKER in text else text
    # What is left may have come together to another one; behind a space nothing does.
    return _ANYWHERE.sub(" ", text) if MARKER in text else text


def _root_bytes(root: str) -> bytes:
    if not _ROOT.fullmatch(root):
        raise ValueError(f"lineage: root id {root!r} is not {2 * ROOT_BYTES} lower-case hexadecimal digits")
    return bytes.fromhex(root)


def _signature(secret: str, claims: bytes) -> bytes:
    return hmac.digest(_key(secret), claims, "sha256")[:_SIGNATURE_BYTES]


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    """
    Derive the signing key (HKDF-SHA256, RFC 5869, one block).

    Its own purpose separates it from every other use of the secret, which may be LiteLLM's master key.
    """
    extracted = hmac.digest(_SALT, secret.encode("utf-8", "surrogateescape"), "sha256")
    return hmac.digest(extracted, _PURPOSE + b"\x01", "sha256")
