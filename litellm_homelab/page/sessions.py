"""
Sessions of the page: a cookie that says until when it is good, signed.

Each is tied to the key that logged in: it ends when that key is no longer one that may see the page. The
cookie holds no name and no key.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from litellm_homelab.access.callers import Caller

COOKIE: Final = "homelab_session"
SECONDS: Final = 12 * 3600
"""How long one session is good."""
_PURPOSE: Final = b"litellm-homelab page session 1"
_SHAPE: Final = re.compile(r"(\d{10,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


def minted(secret: str, digest: str, now: float) -> str:
    """A cookie for whoever logged in with the key of this digest; `now` in seconds since the epoch."""
    claims = f"{int(now) + SECONDS}.{secrets.token_hex(16)}"
    return f"{claims}.{_signature(secret, claims, digest)}"


@dataclass(frozen=True, slots=True)
class Session:
    """A login: whose it is, its number, and until when it is good, in seconds since the epoch."""

    caller: Caller
    number: str
    expires: int


def session(secret: str, cookie: str, keys: Iterable[tuple[str, Caller]], now: float) -> Session | None:
    """
    The session of a cookie; None for one that is made up, changed, over, or of a key that is gone.

    `keys` are the digests of those keys that may see the page, each with its owner; all are compared, in
    constant time.
    """
    match = _SHAPE.fullmatch(cookie)
    if match is None or not secret:
        return None
    expires, nonce, signature = match.groups()
    found = None
    for digest, caller in keys:
        if hmac.compare_digest(_signature(secret, f"{expires}.{nonce}", digest), signature):
            found = Session(caller, nonce, int(expires))
    return found if now < int(expires) else None


def _signature(secret: str, claims: str, digest: str) -> str:
    return hmac.digest(_key(secret), f"{claims}.{digest}".encode(), "sha256").hex()


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    """A key of its own: the secret signs lineage tokens too, and may be the master key."""
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), _PURPOSE, "sha256")
